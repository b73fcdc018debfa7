# Node 24 on Debian 13: uWebSockets.js is built against glibc 2.38, which Alpine and older Debians lack.
ARG NODE=24-trixie-slim

FROM node:${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev --no-save
# A release's tag takes uWebSockets.js from its authors instead of npm: --build-arg UWS_UPSTREAM=v20.x.0
ARG UWS_UPSTREAM=
RUN if [ -n "$UWS_UPSTREAM" ]; then \
      npm install --omit=dev --no-save \
        "uWebSockets.js@https://github.com/uNetworking/uWebSockets.js/archive/refs/tags/$UWS_UPSTREAM.tar.gz"; \
    fi
# Fails here, rather than the node later, where the one binary that is left does not load.
RUN node deploy/image/slim.mjs node_modules/uWebSockets.js

FROM node:${NODE}
ENV NODE_ENV=production SKEIN_HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# By number: a platform that demands a user other than root can only judge numbers.
USER 1000:1000
EXPOSE 9527 9528
# Alive, not ready: a node whose Redis is away must not be restarted for it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SKEIN_METRICS_PORT || 9528}/healthz`).then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
# A larger young generation: see "Garbage" in docs/operations.md.
ENTRYPOINT ["node", "--max-semi-space-size=64", "dist/main.js"]
