"""The API about itself: its OpenAPI document, and a page that shows it without anything from elsewhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from kivuko.platform.api.openapi import document_bytes, page_html
from kivuko.platform.page import page_policy

__all__ = ["router"]

router = Router(tags=["about"])


@router.get("/openapi.json", auth=None, include_in_schema=False)
def read_openapi(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1."""
    return HttpResponse(document_bytes(), content_type="application/json; charset=utf-8", headers={"Cache-Control": "public, max-age=300"})


@router.get("/docs", auth=None, include_in_schema=False)
def read_docs(request: HttpRequest) -> HttpResponse:
    """Every route on one page: no script, nothing from another place."""
    headers = {"Content-Security-Policy": page_policy(), "Cache-Control": "public, max-age=300"}
    return HttpResponse(page_html(), content_type="text/html; charset=utf-8", headers=headers)
