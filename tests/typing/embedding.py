"""A host in a program, and a session in a script: this file is not run, it must pass mypy in strict mode."""

from typing import assert_type
from uuid import uuid4

from washnb import DevRouter, Engine, HostBuilder, HttpServer, Session, WashError
from washnb.engine import CompiledComponent
from washnb.plugins import DynamicConfig, InMemoryKeyValue
from washnb.types import Component, Response, Workload, WorkloadStartRequest, WorkloadStartResponse


async def serve(component: bytes) -> WorkloadStartResponse:
    """Start a host and a workload on it."""
    engine = Engine.builder().with_memory_limit(64).build()
    assert_type(await engine.compile(component, name="mine"), CompiledComponent)
    http = await HttpServer.new(DevRouter(), "127.0.0.1:8080")
    builder = HostBuilder().with_engine(engine).with_http_handler(http)
    async with builder.with_plugin(DynamicConfig(False)).with_plugin(InMemoryKeyValue()).build() as host:
        workload = Workload(namespace="example", name="mine", components=(Component("mine", component),))
        started = await host.workload_start(WorkloadStartRequest(workload_id=str(uuid4()), workload=workload))
        assert_type(started.error, WashError | None)
        assert_type(await host.send("GET", "/", to="mine"), Response)
        return started


def script(component: bytes) -> str:
    """Do the same through the verbs."""
    with Session() as wash:
        wash.load(component, "mine", attach=["keyvalue"])
        response = wash.send("POST", "/", body=b"hello")
        assert_type(response.status, int)
        return response.text
