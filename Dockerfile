# The controller's image, and the base of images that run tasks. Built without network access to anything but the package index:
#   make image IMAGE=registry.example.org/alula:0.1.0 BASE=docker.io/library/python:3.11-slim-bookworm
# For tasks, name the extras that pods need: --build-arg EXTRAS=s3,pandas
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS wheel
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY crds ./crds
COPY sdk ./sdk
COPY compiler ./compiler
COPY controller ./controller
RUN python3 -m pip wheel --no-cache-dir --disable-pip-version-check --no-deps --wheel-dir /dist .

# What alula needs, without alula: layers that only a change of pyproject.toml makes anew.
FROM ${BASE} AS dependencies
ARG EXTRAS=controller
RUN python3 -m venv /opt/alula
WORKDIR /src
COPY pyproject.toml ./
RUN touch README.md LICENSE \
    && mkdir -p crds/alula_api sdk/alula sdk/alula_data compiler/alula_compiler controller/alula_controller \
    && /opt/alula/bin/pip install --no-cache-dir --disable-pip-version-check ".[${EXTRAS}]" \
    && /opt/alula/bin/pip uninstall --yes --quiet alula

FROM dependencies
COPY --from=wheel /dist /dist
RUN /opt/alula/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps /dist/*.whl
ENV PATH=/opt/alula/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
USER 65532:65532
WORKDIR /tmp
CMD ["python", "-m", "alula_controller"]
