from typing import Any

from washnb.engine import Engine as Engine
from washnb.engine import Err as Err
from washnb.engine import Interface as Interface
from washnb.engine import Ok as Ok
from washnb.engine import Some as Some
from washnb.engine import resource as resource
from washnb.errors import WashError as WashError
from washnb.host import DevRouter as DevRouter
from washnb.host import Host as Host
from washnb.host import HostApi as HostApi
from washnb.host import HostBuilder as HostBuilder
from washnb.host import HttpServer as HttpServer
from washnb.host import Ingress as Ingress
from washnb.notebook import Session as Session
from washnb.plugins import HostPlugin as HostPlugin

__version__: str

def load_ipython_extension(ipython: Any) -> None: ...
def unload_ipython_extension(ipython: Any) -> None: ...
