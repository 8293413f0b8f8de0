#!/bin/sh
# Captions one part of a large collection; run it on each machine with the same arguments but its own part.
#   examples/caption-shards.sh photos 1/2   # on one machine
#   examples/caption-shards.sh photos 2/2   # on another that sees the same photos
#   npm run edge-caption -- join captions.jsonl
# A run that was interrupted continues where it was when it is started again.
set -eu
exec npm run caption -- "$1" --shard "$2" --jsonl "${3:-captions.jsonl}"
