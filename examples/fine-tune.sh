#!/bin/sh
# Teaches the bundled model the words of your own captions; thirty photos are enough (docs/training.md).
#   examples/fine-tune.sh holiday/captions.jsonl runs/holiday
# captions.jsonl lies beside its photos and has a line for each: {"image": "beach.jpg", "captions": ["Bella digs a hole"]}
set -eu
captions=$1
out=$2
from=${3:-models/default}
npm run train -- --data "$captions" --out "$out" --from "$from"
# The new bundle captions the same photos, to see what it has learnt; try it on others, too.
npm run caption -- --model-dir "$out/bundle" --csv "$out/captions.csv" "$(dirname "$captions")"
echo "MODEL_DIR=$out/bundle npm start serves it"
