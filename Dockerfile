# The controller's image, and the base of images that run tasks. Built without network access to anything but the package index:
#   make image IMAGE=registry.example.org/alula:0.1.0 BASE=docker.io/library/python:3.11-slim-bookworm
# For tasks, name the extras that pods need: --build-arg EXTRAS=s3,pandas
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG EXTRAS=controller
WORKDIR /src
RUN python3 -m venv /opt/alula
COPY pyproject.toml README.md LICENSE ./
COPY crds ./crds
COPY sdk ./sdk
COPY compiler ./compiler
COPY controller ./controller
RUN /opt/alula/bin/pip install --no-cache-dir --disable-pip-version-check ".[${EXTRAS}]"

FROM ${BASE}
COPY --from=build /opt/alula /opt/alula
ENV PATH=/opt/alula/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
USER 65532:65532
WORKDIR /tmp
CMD ["python", "-m", "alula_controller"]
