# One image for every process of Argus: the command tells which (api, worker, migrate). The console is built in it.
FROM python:3.13-slim AS base
WORKDIR /app
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

FROM base AS console
COPY requirements-node.lock ./
COPY argus/__init__.py argus/__init__.py
COPY argus/console argus/console
COPY console console
RUN python -m argus.console

FROM base
RUN useradd --system --uid 10001 --home-dir /app argus
COPY argus argus
COPY gql gql
COPY workers workers
COPY domain domain
COPY graph graph
COPY runtime runtime
COPY migrations migrations
COPY --from=console /app/console/dist console/dist
RUN pip install --no-cache-dir --no-deps --no-build-isolation . && rm -rf console
USER argus
EXPOSE 8000
ENTRYPOINT ["argus"]
CMD ["api", "--host", "0.0.0.0", "--port", "8000"]
