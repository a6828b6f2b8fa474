# Pin the base image by its digest to build the same image again: docs/deployment.md shows how.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# The first stage installs the packages and prepares the code; the image gets the results alone.
FROM ${PYTHON_IMAGE} AS build
COPY requirements.lock ./
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --require-hashes \
    --only-binary :all: -r requirements.lock
WORKDIR /app
COPY manage.py ./
COPY medianest medianest
COPY accounts accounts
COPY plex_integration plex_integration
# The key is for this command only. The user of the image may read every file, whatever the modes of
# the checkout are, and write none: so the code is compiled here.
RUN SECRET_KEY=only-to-collect-static-files-at-build-time /opt/venv/bin/python manage.py collectstatic --noinput \
    && python -m compileall -q --invalidation-mode unchecked-hash /app \
    && chmod -R a+rX /app

FROM ${PYTHON_IMAGE}
RUN groupadd --system --gid 10001 medianest \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin medianest \
    && install --directory --owner=10001 --group=10001 /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
# By default the database is a file in the volume, and so are cached images.
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DATA_FOLDER=/data PICTURES_FOLDER=/data/pictures
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8000
# ALLOWED_HOSTS must contain 127.0.0.1, which this check uses. It uses no proxy of the environment.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, timeout=4); c.request('GET', '/api/v1/health/live'); status = c.getresponse().status; raise SystemExit(None if status == 200 else f'status {status}')"]
# Run migrations separately: python manage.py migrate
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0"]
