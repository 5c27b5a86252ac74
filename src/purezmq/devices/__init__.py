"""pyzmq's ``zmq.devices``: proxies as objects, which run in a thread or a process of their own."""

from __future__ import annotations

from purezmq.devices.basedevice import Device, ProcessDevice, ThreadDevice
from purezmq.devices.monitoredqueue import monitored_queue
from purezmq.devices.monitoredqueuedevice import MonitoredQueue, ProcessMonitoredQueue, ThreadMonitoredQueue
from purezmq.devices.proxydevice import ProcessProxy, Proxy, ThreadProxy
from purezmq.devices.proxysteerabledevice import ProcessProxySteerable, ProxySteerable, ThreadProxySteerable
from purezmq.enums import DeviceType
from purezmq.sockets.proxy import device, proxy, proxy_steerable

__all__ = [
    "Device",
    "DeviceType",
    "MonitoredQueue",
    "ProcessDevice",
    "ProcessMonitoredQueue",
    "ProcessProxy",
    "ProcessProxySteerable",
    "Proxy",
    "ProxySteerable",
    "ThreadDevice",
    "ThreadMonitoredQueue",
    "ThreadProxy",
    "ThreadProxySteerable",
    "device",
    "monitored_queue",
    "proxy",
    "proxy_steerable",
]
