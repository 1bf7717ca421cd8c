"""Gets the keys of all profiles with boto3 and a pool of 16 threads, and writes them to the credentials file at once.

Arguments: the file of the token, the file of the profiles, the file to write, how many times to do it. Prints its figures as JSON, and no key.
"""
import configparser
import json
import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

THREADS = 16
token_file, profiles_file, credentials_file, passes = sys.argv[1:5]

with open(token_file) as file:
    token = json.load(file)["accessToken"]
with open(profiles_file) as file:
    profiles = [line.split() for line in file]

# The usual pool has ten connections, so six of the threads would open a new one for each request.
sso = boto3.client("sso", region_name="us-west-2", config=Config(max_pool_connections=THREADS))


def fetch(profile):
    name, account, role = profile
    return name, sso.get_role_credentials(accountId=account, roleName=role, accessToken=token)["roleCredentials"]


def update():
    with ThreadPoolExecutor(THREADS) as pool:
        fetched = list(pool.map(fetch, profiles))
    text = configparser.RawConfigParser()
    text.read(credentials_file)
    for name, keys in fetched:
        text[name] = {
            "aws_access_key_id": keys["accessKeyId"],
            "aws_secret_access_key": keys["secretAccessKey"],
            "aws_session_token": keys["sessionToken"],
        }
    with open(credentials_file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        text.write(file)


seconds = []
for _ in range(int(passes)):
    start = time.perf_counter()
    update()
    seconds.append(time.perf_counter() - start)

usage = resource.getrusage(resource.RUSAGE_SELF)


def peak_megabytes():
    try:
        # The figure of getrusage includes what the parent had in memory when it started this program.
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024
    except FileNotFoundError:
        # macOS counts in bytes.
        return usage.ru_maxrss / (1 << 20)


print(json.dumps({"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "memory": peak_megabytes()}))
