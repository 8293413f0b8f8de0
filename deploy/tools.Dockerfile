# This repository with its packages: the edge of compose.yaml, and the jobs of kubernetes/captions and kubernetes/features.
#   docker build -f deploy/tools.Dockerfile -t edge-caption-tools .
FROM node:22-bookworm
WORKDIR /home/node/edge-caption
RUN chown 1000:1000 .
USER 1000:1000
COPY --chown=1000:1000 . .
# .wrangler: a volume mounted there inherits this owner
RUN npm ci && npm run build -- page && mkdir .wrangler
