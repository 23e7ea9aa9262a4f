# Two images for docker-compose.yml: the database and the site. Both are Debian 12 with the packages that script/lib.sh
# installs on a machine; the site's is made by script/setup itself, so that there is one way of setting up.

FROM postgres:15-bookworm AS database
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-15-postgis-3 postgresql-15-pgrouting \
    && rm -rf /var/lib/apt/lists/*
COPY script/container/extensions.sh /docker-entrypoint-initdb.d/extensions.sh

FROM debian:bookworm-slim AS site
WORKDIR /app
# Naming services of their own keeps script/setup from installing PostgreSQL and Redis into this image.
ARG DATABASE_URL=postgis://nobody@127.0.0.1:1/nothing
ARG REDIS_URL=redis://127.0.0.1:1/0
# First what changes seldom, so that a new version of our own code builds in seconds.
COPY script script
COPY requirements.lock package.json package-lock.json .npmrc ./
RUN script/setup --packages && rm -rf /var/lib/apt/lists/* /root/.cache /root/.npm
COPY . .
RUN SECRET_KEY=only-for-the-build script/setup --image
# The site runs as a user who can write nothing but /data.
RUN useradd --uid 10001 --home-dir /data --no-create-home gongjian && install -d -o gongjian -g gongjian /data
USER gongjian
ENV PATH=/app/.local/venv/bin:/usr/local/bin:/usr/bin:/bin LC_ALL=C.UTF-8 PYTHONUNBUFFERED=1 \
    MEDIA_ROOT=/data/media PRIVATE_ROOT=/data/private EMAIL_URL=filemail:////data/mail
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["/app/script/container/entrypoint"]
