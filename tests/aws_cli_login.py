"""Lets the AWS CLI's own code log in and read its token cache, against a stand-in on the loopback.

Debian's AWS CLI is too old for AWS_ENDPOINT_URL_SSO_OIDC, so `aws sso login` can't be sent there; the function behind it is called here.
What it prints is one line of JSON without a secret: tokens are told by their SHA-256.
"""

import argparse
import functools
import hashlib
import json
import os

import awscli.botocore.session
from awscli.botocore.credentials import JSONFileCache
from awscli.botocore.utils import SSOTokenFetcher, SSOTokenLoader
from awscli.customizations.sso.utils import SSO_TOKEN_DIR, _sso_json_dumps, do_sso_login


class Session:
    """A session of the AWS CLI whose clients all turn to the stand-in."""

    def __init__(self, endpoint):
        session = awscli.botocore.session.Session()
        self.create_client = functools.partial(session.create_client, endpoint_url=endpoint)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('action', choices=['login', 'fetch', 'load'])
    parser.add_argument('start_url')
    parser.add_argument('--session-name')
    parser.add_argument('--scopes', nargs='*')
    given = parser.parse_args()

    asked = []

    def pending(userCode, **more):
        asked.append(userCode)

    session = Session(os.environ['AWS_ENDPOINT_URL_SSO_OIDC'])
    cache = JSONFileCache(SSO_TOKEN_DIR, dumps_func=_sso_json_dumps)
    region = 'us-west-2'
    if given.action == 'login':
        # As `aws sso login` calls it.
        token = do_sso_login(
            session, region, given.start_url, token_cache=cache, on_pending_authorization=pending, force_refresh=True,
            registration_scopes=given.scopes, session_name=given.session_name,
        )
    elif given.action == 'fetch':
        fetcher = SSOTokenFetcher(region, session.create_client, cache=cache, on_pending_authorization=pending)
        token = fetcher.fetch_token(given.start_url, registration_scopes=given.scopes, session_name=given.session_name)
    else:
        token = SSOTokenLoader(cache=cache)(given.start_url, session_name=given.session_name)
    print(json.dumps({
        'keys': sorted(token),
        'token': hashlib.sha256(token['accessToken'].encode()).hexdigest(),
        'refreshable': bool(token.get('refreshToken')),
        'asked': len(asked),
    }))


if __name__ == '__main__':
    main()
