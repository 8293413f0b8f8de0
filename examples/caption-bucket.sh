#!/bin/sh
# Captions one part of a bucket; run it on each machine with the same arguments but its own part.
#   export AWS_PROFILE=photos                          # docs/cli.md: credentials, R2 and MinIO
#   examples/caption-bucket.sh s3://photos/2026/ 1/2   # on one machine
#   examples/caption-bucket.sh s3://photos/2026/ 2/2   # on another
#   npm run edge-caption -- join captions.jsonl        # with both parts in one folder
# A run that was interrupted continues where it was when it is started again. A folder that all machines see does as well.
set -eu
exec npm run caption -- "$1" --shard "$2" --jsonl "${3:-captions.jsonl}"
