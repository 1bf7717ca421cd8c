#!/bin/sh
# Gets the keys of all profiles with one `aws sso get-role-credentials` after another.
# Arguments: the file of the token, the file of the profiles, the file to write.
set -eu
token=$(sed -n 's/.*"accessToken": *"\([^"]*\)".*/\1/p' "$1")
umask 077
while read -r name account role; do
    aws sso get-role-credentials --region us-west-2 --access-token "$token" --account-id "$account" --role-name "$role" \
        --query 'roleCredentials.[accessKeyId,secretAccessKey,sessionToken]' --output text </dev/null | {
        read -r id secret session
        printf '[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n\n' "$name" "$id" "$secret" "$session"
    } >>"$3"
done <"$2"
