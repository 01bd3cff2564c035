# What write() and drain() say once nobody reads.
import asyncio
import sys


async def main():
    loop = asyncio.get_event_loop()
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    sys.stdin.readline()
    for _ in range(3):
        result = transport.write(b"x" * 10)
        sys.stderr.write("%s " % result)
        await asyncio.sleep(0)
    sys.stderr.write("closing %s\n" % transport.is_closing())

asyncio.get_event_loop_policy().new_event_loop().run_until_complete(main())
