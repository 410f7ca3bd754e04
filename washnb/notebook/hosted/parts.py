"""The classes of the notebook that a plugin is made of, and how it is made again when they are defined again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from washnb.engine import Interface
from washnb.plugins import HostPlugin, InterfacePlugin, as_plugin, layers

from .on_kernel import OnKernel

_NOTEBOOK = "__main__"


def parts_of(plugin: HostPlugin) -> dict[str, type]:
    """The classes of the notebook that a plugin is made of, by name.

    They are the classes of the plugin and of the plugins inside of it, of their interfaces, of the resources that these
    have as attributes, and the bases of all of them.
    """
    found: dict[str, type] = {}
    for cls in _classes(plugin):
        found = {**_line(cls), **found}
    return found


def _line(cls: type) -> dict[str, type]:
    """A class and its bases, as far as the notebook defines them, by name; of `class Roll(Roll)` the derived one."""
    own = (each for each in cls.__mro__ if each.__module__ == _NOTEBOOK and each.__qualname__ == each.__name__)
    return {each.__name__: each for each in reversed([*own])}


def class_of(plugin: HostPlugin) -> str:
    """The name of a plugin's class; of a wrapper, those of its layers, outside in: `Audit around InMemoryKeyValue`."""
    chosen = _chosen(plugin)
    place = ", on the kernel's loop" if chosen[0] is not plugin else ""
    return " around ".join(map(_class_name, chosen)) + place


def attachable(plugin: HostPlugin) -> str:
    """The name of the class, of a plugin or an interface, that `attach` was given, or whose object it was given."""
    return _class_name(_chosen(plugin)[0])


def _chosen(plugin: HostPlugin) -> list[HostPlugin]:
    """The layers of a plugin that a person chose, outermost first: without the one that leads to the kernel's loop."""
    return [each for each in layers(plugin) if not isinstance(each, OnKernel)]


def _class_name(plugin: HostPlugin) -> str:
    subject = plugin.interfaces[0] if isinstance(plugin, InterfacePlugin) else plugin
    return subject.__name__ if isinstance(subject, type) else type(subject).__name__


def made_again(cls: type, namespace: Mapping[str, object]) -> HostPlugin:
    """Make a plugin of a class, with its interfaces as they are defined in `namespace` now.

    Raises ConfigError for a class that needs arguments.
    """
    plugin = as_plugin(cls)
    for layer in layers(plugin):
        now = tuple(_current(each, namespace) for each in layer.interfaces)
        if now != layer.interfaces:
            layer.interfaces = now
    return plugin


def former_parts(plugin: HostPlugin, namespace: Mapping[str, object]) -> list[str]:
    """The names of the classes that a plugin is made of and that `namespace` has defined again since."""
    return [name for name, each in parts_of(plugin).items() if _former(each, namespace)]


def to_run_again(plugin: HostPlugin, namespace: Mapping[str, object]) -> list[str]:
    """The names of a plugin's classes whose cells have to run again, in that order.

    A class does not change when a base of it, or a class that it has as a resource, is defined again.
    """
    parts = (namespace.get(name, each) for name, each in parts_of(plugin).items())
    late = [cls for cls in parts if isinstance(cls, type) and any(_former(each, namespace) for each in _made_of(cls))]
    return [cls.__name__ for cls in sorted(late, key=lambda cls: len(_made_of(cls)))]


def _made_of(cls: type) -> list[type]:
    found = {**_line(cls), **{each.__name__: each for each in _resources(cls)}}
    return [each for name, each in found.items() if name != cls.__name__]


def _former(cls: type, namespace: Mapping[str, object]) -> bool:
    return is_other(cls, namespace.get(cls.__name__))


def is_other(before: object, now: object) -> bool:
    """Whether `now` is another class than `before`: it was defined again."""
    return isinstance(now, type) and now is not before


def _classes(plugin: HostPlugin) -> Iterator[type]:
    for layer in layers(plugin):
        yield type(layer)
        for entry in layer.interfaces:
            interface = entry if isinstance(entry, type) else type(entry)
            yield interface
            yield from _resources(interface)


def _resources(cls: type) -> Iterator[type]:
    return (each for each in vars(cls).values() if isinstance(each, type) and hasattr(each, "wit_resource"))


def _current(entry: type[Interface] | Interface, namespace: Mapping[str, object]) -> type[Interface] | Interface:
    now = namespace.get(entry.__name__) if isinstance(entry, type) and entry.__module__ == _NOTEBOOK else None
    return now if isinstance(now, type) and issubclass(now, Interface) else entry
