"""memory.py - where in the memory of a process a secret stands: memory.py PID SECRET

Prints a line for each place in writable memory that holds the last bytes of SECRET, in clear or inside base64 at any of
the three offsets it may have there. The last bytes, since the allocator overwrites the first ones of what is freed.
"""

import base64
import re
import sys

END = 9  # bytes


def forms(secret):
    yield "clear", secret[-END:]
    for shift in range(3):
        whole = base64.b64encode(b"x" * shift + secret + b"yyy")
        end = (shift + len(secret)) * 8 // 6
        yield "base64", whole[end - END : end]


def regions(pid):
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw.. \S+ \S+ \S+\s*(.*)", line)
            if found:
                yield int(found[1], 16), int(found[2], 16), found[3] or "anonymous"


def main(pid, secret):
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for begin, end, name in regions(pid):
            memory.seek(begin)
            held = memory.read(end - begin)
            for form, bytes_ in forms(secret):
                for place in re.finditer(re.escape(bytes_), held):
                    print(form, name, hex(begin + place.start()))


main(int(sys.argv[1]), sys.argv[2].encode())
