FROM oven/bun:1.4.5 AS build
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
COPY patches patches
RUN bun install --frozen-lockfile --production
COPY . .
RUN bun run build && mkdir /data

# glibc and certificates, no shell: the binary brings everything else.
FROM gcr.io/distroless/base-debian12
COPY --from=build /app/out/echochat /echochat
COPY --from=build --chown=65534:65534 /data /data
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data
USER 65534:65534
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
ENTRYPOINT ["/echochat"]
