"""The host runtime: workloads, HTTP, lifecycle of plugins."""

from .routers import DevRouter, Router

__all__ = ["DevRouter", "Router"]
