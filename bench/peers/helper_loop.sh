#!/bin/sh
# Starts the program for credential_process lines for each profile, one after another, as AWS tools do.
# Arguments: the program, the file of the profiles.
set -eu
while read -r name _; do
    "$1" --environment Acme "$name" </dev/null >/dev/null
done <"$2"
