"""Gets keys from the endpoint again and again as a program of a user does that runs for long, then many times at once.

Arguments: how many different keys to wait for, and how many clients are there at once. Prints what it saw as JSON, and no key.
"""
import datetime
import json
import sys
import threading
import time

try:
    from boto3 import Session
except ImportError:
    # Debian's AWS CLI has botocore, but no boto3.
    from awscli.botocore.session import Session

WANTED, CLIENTS = int(sys.argv[1]), int(sys.argv[2])
seen, problems, together = set(), [], []


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def look(credentials, into):
    """Gets the keys once. They were expired when they came only if they were so before they were asked for."""
    start = now()
    try:
        keys = credentials.get_frozen_credentials()
    except Exception as error:
        problems.append(f"{type(error).__name__}: {error}")
        return
    if credentials.method != "container-role":
        problems.append(f"the keys are from {credentials.method}")
    elif credentials._expiry_time <= start:
        problems.append("the keys had expired")
    else:
        into.add(keys.access_key) if isinstance(into, set) else into.append(keys.access_key)


one = Session().get_credentials()
while len(seen) < WANTED and not problems:
    look(one, seen)
    time.sleep(0.2)

# Python starts the sessions one after the other; the requests are at the same time.
ready = threading.Barrier(CLIENTS)


def client():
    credentials = None
    try:
        with creating:
            credentials = Session().get_credentials()
    except Exception as error:
        problems.append(f"{type(error).__name__}: {error}")
    ready.wait()
    if credentials:
        look(credentials, together)


creating = threading.Lock()
threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"Seen": len(seen), "Together": len(together), "Problems": sorted(set(problems))}))
