# One image for every process of Argus: the command tells which (api, worker, migrate). The console is built in it.
FROM python:3.13-slim AS base
WORKDIR /app
COPY requirements-image.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-image.lock

FROM base AS console
COPY requirements-node.lock ./
COPY argus/__init__.py argus/__init__.py
COPY argus/console argus/console
COPY console console
RUN python -m argus.console

FROM base AS wheel
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY argus argus
COPY gql gql
COPY workers workers
COPY domain domain
COPY graph graph
COPY runtime runtime
COPY migrations migrations
COPY --from=console /app/console/dist console/dist
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheel .

# Without what only builds and tests need.
FROM base
RUN useradd --uid 10001 --home-dir /app --no-create-home argus
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel pip install --no-cache-dir --no-deps /wheel/*.whl
USER argus
EXPOSE 8000
ENTRYPOINT ["argus"]
CMD ["api", "--host", "0.0.0.0", "--port", "8000"]
