# The first stage builds the wheels, the second installs them and nothing else.
FROM python:3.11-slim AS wheels
COPY requirements.txt constraints.txt ./
RUN pip wheel --no-cache-dir --wheel-dir /wheels -r requirements.txt -c constraints.txt

FROM python:3.11-slim
# By default the database is a file in the volume, and so are cached images.
ENV PYTHONUNBUFFERED=1 WORKERS=2 DATABASE_URL=sqlite:////data/db.sqlite3 \
    PICTURES_FOLDER=/data/pictures
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin medianest \
    && install --directory --owner=medianest /data
WORKDIR /app
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links=/wheels /wheels/*.whl
COPY manage.py ./
COPY medianest medianest
COPY accounts accounts
COPY plex_integration plex_integration
# The key is for this command only; the service gets its own from the environment.
RUN SECRET_KEY=only-to-collect-static-files-at-build-time python manage.py collectstatic --noinput

USER medianest
VOLUME /data
EXPOSE 8000
# ALLOWED_HOSTS must contain 127.0.0.1, which this check uses.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/api/v1/health/live', timeout=4)"]
# Run migrations separately: python manage.py migrate
# The kill timeout is above the longest time that a request may take (PLEX_TIMEOUT is at most 120).
CMD ["sh", "-c", "exec granian --interface asgi --loop uvloop --no-ws --host 0.0.0.0 --port 8000 --workers \"$WORKERS\" --backpressure 4096 --respawn-failed-workers --workers-kill-timeout 125 medianest.asgi:application"]
