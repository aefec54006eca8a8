# The daemon's image: a Python, and the one file. Building it fetches nothing and needs no network, given
# the artefact and any base with a shell and Python 3.11 or newer. docs/docker.md says how.
ARG BASE=python:3.13-slim
FROM ${BASE}

ARG VERSION
ARG ARTEFACT=dist/waiaas-${VERSION}.pyz
COPY ${ARTEFACT} /usr/local/bin/waiaas

# 1001 is the user of the previous implementation's image, so its volumes open as they are. The lines are
# written by hand because not every base has useradd. The file starts without writing one: nothing to
# unpack here. A base without a proper Python, or another version's file, ends the build.
RUN chmod 755 /usr/local/bin/waiaas \
 && test "$(waiaas --version)" = "${VERSION}" \
 && echo "waiaas:x:1001:" >> /etc/group \
 && echo "waiaas:x:1001:1001::/data:/usr/sbin/nologin" >> /etc/passwd \
 && mkdir -p /data && chmod 700 /data && chown 1001:1001 /data

# Inside the container every address is the container's own; what is published decides who gets there.
ENV WAIAAS_DATA_DIR=/data \
    WAIAAS_DAEMON_HOSTNAME=0.0.0.0 \
    WAIAAS_UPGRADE_MODE=external

# In /data, so that temporary files find a place where the rest of the file system is read-only.
WORKDIR /data
USER 1001:1001
VOLUME ["/data"]
EXPOSE 3100
STOPSIGNAL SIGTERM
# A start may migrate a large database, so the start period is long; the first success ends it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5m --retries=3 \
    CMD ["python3", "-I", "/usr/local/bin/waiaas", "health"]
ENTRYPOINT ["python3", "-I", "/usr/local/bin/waiaas"]
CMD ["start", "--init"]

ARG REVISION=""
ARG CREATED=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="WAIaaS" \
      org.opencontainers.image.description="Self-hosted daemon that keeps AI agents' wallets under their owner's control" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="MIT" \
      com.centurylinklabs.watchtower.enable="true"
