#!/bin/sh
# Captions a photo with curl, then asks for the stored caption by the photo's id.
#   examples/curl.sh samples/pizza.jpg
#   ORIGIN=https://captions.example.com EDGE_CAPTION_KEY=… examples/curl.sh photo.jpg
set -eu
photo=$1
captions=${ORIGIN:-http://localhost:8787}/v1/captions
key=${EDGE_CAPTION_KEY:-}

# --fail-with-body shows the problem document of an error and ends with an exit code that says so.
curl -sS --fail-with-body ${key:+-H "Authorization: Bearer $key"} --data-binary "@$photo" -H 'Content-Type: image/jpeg' "$captions"
echo

# A look-up never runs the model: 200 with the same result, or 404.
id=sha256:$(node -p 'crypto.createHash("sha256").update(fs.readFileSync(process.argv[1])).digest("hex")' "$photo")
curl -sS --fail-with-body ${key:+-H "Authorization: Bearer $key"} "$captions/$id"
echo
