"""What a program with boto3 waits until it has the keys of its profile. Prints the milliseconds, and no key."""
import time

import boto3

start = time.perf_counter()
keys = boto3.Session().get_credentials().get_frozen_credentials()
assert keys.access_key.startswith("ASIA")
print((time.perf_counter() - start) * 1000)
