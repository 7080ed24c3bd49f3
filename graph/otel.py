"""The same runs as OpenTelemetry spans, by the GenAI conventions, when OTEL_EXPORTER_OTLP_ENDPOINT is set.

Needs the extra `otel`; where its packages are absent, a warning says so and nothing else changes.
"""

from __future__ import annotations

import atexit
import warnings
from functools import cache
from typing import TYPE_CHECKING

from sigmaloop.settings import otel_endpoint

if TYPE_CHECKING:
    from langsmith import Client


@cache
def otel_client(*, langsmith: bool) -> Client | None:
    """Sends spans to the endpoint, and runs to LangSmith as well where that is on; None without an endpoint."""
    endpoint = otel_endpoint()
    if endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as missing:
        warnings.warn(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but {missing.name} is not installed: no spans are sent; "
            "pip install 'sigmaloop[otel]'",
            stacklevel=2,
        )
        return None
    from langsmith import Client

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "sigmaloop"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    if langsmith:
        client = Client(tracing_mode="hybrid", otel_tracer_provider=provider)
    else:
        client = Client(tracing_mode="otel", otel_tracer_provider=provider, api_key="none", api_url=endpoint)

    def end() -> None:
        client.flush()
        provider.shutdown()

    atexit.register(end)
    return client
