# cytoform on processors. Build: docker build --tag cytoform .   Run: see docs/install.md. Not run where it was written.
FROM python:3.12-slim
COPY . /source
# PyTorch's own index has the build without CUDA, a quarter of the size.
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch \
    && pip install --no-cache-dir /source \
    && rm -rf /source
WORKDIR /work
ENTRYPOINT ["cytoform"]
CMD ["--help"]
