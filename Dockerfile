# The images of docker-compose.yml. `docker compose up --build` builds them; nothing else is pulled but Debian and Node.

FROM node:22-bookworm-slim AS build
WORKDIR /gantry
COPY package.json package-lock.json ./
RUN npm install --no-audit --no-fund
COPY . .
RUN node scripts/build.mjs && npm prune --omit=dev --no-audit --no-fund

# Every component of the control plane.
FROM node:22-bookworm-slim AS gantry
WORKDIR /gantry
COPY --from=build /gantry/package.json ./
COPY --from=build /gantry/node_modules node_modules
COPY --from=build /gantry/bin bin
COPY --from=build /gantry/dist dist
COPY --from=build /gantry/manifests manifests
# The certificates are made once and shared; all else an API server writes is its own.
RUN mkdir -p /var/lib/gantry && ln -s /credentials/pki /var/lib/gantry/pki && ln -s /gantry/bin/gantry /usr/local/bin/gantry
ENTRYPOINT ["gantry"]

# A node: the same, and what runs containers.
FROM gantry AS node
RUN apt-get update \
 && apt-get install -y --no-install-recommends containerd runc containernetworking-plugins nftables conntrack iproute2 \
 && rm -rf /var/lib/apt/lists/*

FROM debian:bookworm-slim AS etcd
RUN apt-get update \
 && apt-get install -y --no-install-recommends etcd-server \
 && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["etcd"]
