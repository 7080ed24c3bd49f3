"""Clients that ask a gateway's server with the token of a lease."""

from __future__ import annotations

import json
from typing import Any

import httpx
import openai
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from sigmaloop.tools.gateway.lease import Lease


def official(lease: Lease, http: Any, *, retries: int = 0) -> openai.OpenAI:
    return openai.OpenAI(base_url=lease.base_url, api_key=lease.token, http_client=http, max_retries=retries)


def chat(lease: Lease, http: Any, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model="anything",
        base_url=lease.base_url,
        api_key=SecretStr(lease.token),
        http_client=http,
        use_responses_api=False,
        stream_usage=True,
        max_retries=0,
        **options,
    )


def post(
    plain: httpx.Client, lease: Lease, body: Any, *, path: str = "/chat/completions", token: str = ""
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token or lease.token}"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return plain.post(lease.base_url + path, content=content, headers=headers)
