"""What a hostile agent would try, as harmless source snippets with an effect that can be seen from outside.

The canary of `sigmaloop doctor` and the test suite run the same table. A snippet is the body of `attack(t)`,
where `t` tells it its targets (see `canary.Stage`); what it returns counts where no trace is left elsewhere.
Every one of them works in an ordinary child process.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Effect = Literal["says", "heard", "changed", "killed", "made"]


class Attack(NamedTuple):
    """One attempt, and how its success shows."""

    name: str
    body: str
    effect: Effect
    """The secret is returned; a listener heard it; the folder changed; the victim died; "made" is returned."""
    needs: Literal["", "root", "lenient kernel"] = ""
    """What it takes to succeed even without a sandbox."""
    canary: bool = False
    """Tried by `sigmaloop doctor`."""

    @property
    def meets_limits(self) -> bool:
        """Stopped by resource limits, which the plain child process of tier none has as well."""
        return self in _FILL or self.name in ("raises its own limits", "leaves its group", "makes a queue of messages")


PRELUDE = '''
import ctypes, json, os, resource, signal, socket, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)

def call(t, name, *arguments):
    """A system call by name, past every wrapper; raises what it fails with."""
    if name not in t["numbers"]:
        raise OSError(38, "no such call on this processor")
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(t["numbers"][name]), *given)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def stack(pid):
    """Where a process keeps its environment."""
    for line in open(f"/proc/{pid}/maps"):
        if "[stack]" in line:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            return start, end - start

def attempt(t):
    try:
        return attack(t)
    except BaseException as error:
        return f"refused: {type(error).__name__}: {error}"
'''

_READ = [
    Attack("reads a file", "return open(t['file']).read()", "says", canary=True),
    Attack("reads a file by ..", "return open('../' * 30 + t['file'].lstrip('/')).read()", "says"),
    Attack("reads through a symbolic link", "os.symlink(t['file'], 'l'); return open('l').read()", "says", canary=True),
    Attack("reads through a hard link", "os.link(t['file'], t['beside']); return open(t['beside']).read()", "says"),
    Attack("lists a folder", "return ' '.join(os.listdir(t['folder']))", "says"),
    Attack("reads the environment of another process", "return open(f'/proc/{t[\"victim\"]}/environ').read()", "says",
           canary=True),
    Attack("reads the command line of another process", "return open(f'/proc/{t[\"victim\"]}/cmdline').read()", "says"),
    Attack("reads through /proc/PID/root", "return open(f'/proc/{t[\"victim\"]}/root{t[\"file\"]}').read()", "says",
           canary=True),
    Attack("reads the memory of another process", "start, size = stack(t['victim'])\n"
           "with open(f'/proc/{t[\"victim\"]}/mem', 'rb') as m: m.seek(start); return m.read(size).decode('latin')",
           "says"),
    Attack("reads memory with process_vm_readv", "start, size = stack(t['victim'])\n"
           "b = ctypes.create_string_buffer(size)\n"
           "mine, far = struct.pack('QQ', ctypes.addressof(b), size), struct.pack('QQ', start, size)\n"
           "call(t, 'process_vm_readv', t['victim'], mine, 1, far, 1, 0); return b.raw.decode('latin')", "says"),
    Attack("steals a descriptor", "p = call(t, 'pidfd_open', t['victim'], 0); fd = call(t, 'pidfd_getfd', p, 0, 0)\n"
           "os.lseek(fd, 0, 0); return os.read(fd, 99).decode()", "says"),
    Attack("traces another process", "libc.ptrace.argtypes = [ctypes.c_long] * 4\n"
           "if libc.ptrace(0x4206, t['victim'], 0, 0): raise OSError(ctypes.get_errno())\nreturn 'made'", "made",
           canary=True),
    Attack("opens a file by its handle", "h = ctypes.create_string_buffer(struct.pack('Ii', 64, 0) + bytes(64)); "
           "m = ctypes.c_int()\ncall(t, 'name_to_handle_at', -100, t['file'].encode(), h, ctypes.byref(m), 0)\n"
           "d = os.open(t['folder'], os.O_RDONLY); fd = call(t, 'open_by_handle_at', d, h, 0)\n"
           "return os.read(fd, 99).decode()", "says", "root"),
    Attack("watches a folder", "i = call(t, 'inotify_init1', 0)\n"
           "call(t, 'inotify_add_watch', i, t['folder'].encode(), 0xfff); return 'made'", "made"),
]  # fmt: skip

_TALK = [
    Attack("connects by TCP", "socket.create_connection(t['tcp']).sendall(t['word'].encode())", "heard", canary=True),
    Attack("sends by UDP", "socket.socket(2, 2).sendto(t['word'].encode(), tuple(t['udp']))", "heard", canary=True),
    Attack("connects to a socket in the file system", "s = socket.socket(1); s.connect(t['unix']); "
           "s.sendall(t['word'].encode())", "heard"),
    Attack("connects to an abstract socket", "s = socket.socket(1); s.connect('\\0' + t['abstract']); "
           "s.sendall(t['word'].encode())", "heard", canary=True),
    Attack("sends to a socket through a pair of its own", "a, b = socket.socketpair(1, 2); "
           "a.sendto(t['word'].encode(), '\\0' + t['datagram'])", "heard"),
    Attack("listens", "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); return 'made'", "made"),
    Attack("makes a queue of messages", "n = t['word'].encode(); q = call(t, 'mq_open', n, 0o102, 0o600, 0)\n"
           "call(t, 'mq_unlink', n); return 'made'", "made"),
    Attack("makes shared memory", "i = call(t, 'shmget', 0, 4096, 0o1600); call(t, 'shmctl', i, 0, 0); return 'made'",
           "made"),
    Attack("makes a semaphore",
           "i = call(t, 'semget', 0, 1, 0o1600); call(t, 'semctl', i, 0, 0, 0); return 'made'", "made"),
    Attack("makes a message queue of old",
           "i = call(t, 'msgget', 0, 0o1600); call(t, 'msgctl', i, 0, 0); return 'made'",
           "made"),
    Attack("locks a file that others may read", "import fcntl; a, b = open(os.__file__), open(os.__file__)\n"
           "fcntl.flock(a, fcntl.LOCK_EX)\ntry: fcntl.flock(b, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
           "except BlockingIOError: return 'made'", "made", canary=True),
    Attack("locks a part of a file that others may read", "import fcntl; a, b = open(os.__file__), open(os.__file__)\n"
           "fcntl.fcntl(a, 37, struct.pack('hhqqi', 0, 0, 7, 1, 0))\n"
           "found = fcntl.fcntl(b, 36, struct.pack('hhqqi', 1, 0, 7, 1, 0))\n"
           "if struct.unpack('hhqqi', found)[0] != 2: return 'made'", "made"),
    Attack("wakes who waits on a library's file", "f = open(os.__file__); libc.mmap.restype = ctypes.c_void_p\n"
           "x, y = (libc.mmap(None, 4096, 1, 1, f.fileno(), 0) for _ in 'xy')\n"
           "v = ctypes.c_uint32.from_address(x).value; late = struct.pack('qq', 2, 0)\n"
           "w = threading.Thread(target=lambda: libc.syscall(t['numbers']['futex'], ctypes.c_void_p(x), 0, v, late))\n"
           "w.start()\nwhile w.is_alive():\n"
           "    if libc.syscall(t['numbers']['futex'], ctypes.c_void_p(y), 1, 1, None) == 1: return 'made'\n"
           "    time.sleep(.001)", "made", canary=True),
    Attack("leaves a hint with a file", "import fcntl; a = open(os.__file__)\n"
           "fcntl.fcntl(a, 1036, struct.pack('Q', 0)); return 'made'", "made", "root"),
    Attack("makes memory with a descriptor", "os.memfd_create('x'); return 'made'", "made"),
    Attack("writes into /dev/shm", "p = '/dev/shm/' + t['word']; open(p, 'w'); os.unlink(p); return 'made'", "made"),
]  # fmt: skip

_CHANGE = [
    Attack("writes a file", "open(t['file'], 'w').write('x')", "changed", canary=True),
    Attack("appends to a file", "open(t['file'], 'a').write('x')", "changed"),
    Attack("makes a file", "open(t['beside'], 'w')", "changed", canary=True),
    Attack("makes a folder", "os.mkdir(t['beside'])", "changed"),
    Attack("makes a symbolic link", "os.symlink('x', t['beside'])", "changed"),
    Attack("makes a pipe", "os.mkfifo(t['beside'])", "changed"),
    Attack("makes a socket file", "socket.socket(1).bind(t['beside'])", "changed"),
    Attack("removes a file", "os.unlink(t['file'])", "changed"),
    Attack("renames a file", "os.rename(t['file'], t['beside'])", "changed"),
    Attack("truncates a file", "os.truncate(t['file'], 0)", "changed", canary=True),
    Attack("truncates a file by reading it", "os.open(t['file'], os.O_RDONLY | os.O_TRUNC)", "changed"),
    Attack("changes the mode", "os.chmod(t['file'], 0o777)", "changed", canary=True),
    Attack("changes the mode by a newer call", "call(t | {'numbers': {'fchmodat2': 452}}, 'fchmodat2', -100, "
           "t['file'].encode(), 0o777, 0)", "changed", "lenient kernel"),
    Attack("changes the times", "os.utime(t['file'], (1, 1))", "changed"),
    Attack("changes the owner", "os.chown(t['file'], 12345, -1)", "changed", "root"),
    Attack("sets an attribute", "os.setxattr(t['file'], 'user.x', b'x')", "changed"),
    Attack("opens the interpreter's library for writing", "open(os.__file__, 'r+'); return 'made'", "made", "root"),
    Attack("opens its own source for writing", "open(t['source'], 'r+'); return 'made'", "made"),
    Attack("opens core_pattern for writing",
           "open('/proc/sys/kernel/core_pattern', 'r+'); return 'made'", "made", "root"),
    Attack("runs a shell", "os.execv('/bin/sh', ['sh', '-c', 'echo x > ' + t['beside']])", "changed", canary=True),
]  # fmt: skip

_PROCESS = [
    Attack("forks", "p = os.fork()\nif p == 0: os._exit(0)\nos.waitpid(p, 0); return 'made'", "made", canary=True),
    Attack("forks by a raw call", "p = call(t, 'clone', 17, 0, 0, 0, 0)\nif p == 0: os._exit(0)\n"
           "os.waitpid(p, 0); return 'made'", "made"),
    Attack("forks by clone3", "a = ctypes.create_string_buffer(struct.pack('QQQQQQQQ', 0, 0, 0, 0, 17, 0, 0, 0))\n"
           "p = call(t, 'clone3', a, 64)\nif p == 0: os._exit(0)\nos.waitpid(p, 0); return 'made'", "made"),
    Attack("starts a program", "subprocess.run(['/bin/true'], check=True); return 'made'", "made"),
    Attack("spawns a program", "os.posix_spawn('/bin/true', ['true'], {}); return 'made'", "made"),
    Attack("calls the shell", "assert os.system('true') == 0; return 'made'", "made"),
    Attack("uses multiprocessing", "import multiprocessing as m; p = m.get_context('fork').Process(target=print)\n"
           "p.start(); p.join(); return 'made'", "made"),
    Attack("kills a process", "os.kill(t['victim'], 9)", "killed", canary=True),
    Attack("kills a thread of a process", "call(t, 'tgkill', t['victim'], t['victim'], 9)", "killed"),
    Attack("kills by the old thread call", "call(t, 'tkill', t['victim'], 9)", "killed"),
    Attack("queues a signal", "given = struct.pack('iiiiii', 15, 0, -1, 0, os.getpid(), 0)\n"
           "i = ctypes.create_string_buffer(given, 128)\n"
           "call(t, 'rt_sigqueueinfo', t['victim'], 15, i)", "killed"),
    Attack("kills by descriptor", "p = call(t, 'pidfd_open', t['victim'], 0); call(t, 'pidfd_send_signal', p, 9, 0, 0)",
           "killed"),
    Attack("has the kernel signal a process", "import fcntl; r, w = os.pipe(); fcntl.fcntl(r, 8, t['victim'])\n"
           "fcntl.fcntl(r, 10, 9); fcntl.fcntl(r, 4, os.O_ASYNC | os.O_NONBLOCK); os.write(w, b'x'); time.sleep(.05)",
           "killed"),
    Attack("signals its parent", "os.kill(os.getppid(), 0); return 'made'", "made", canary=True),
    Attack("pretends to be ended from outside", "hit = []; signal.signal(15, lambda *_: hit.append(1))\n"
           "os.kill(os.getpid(), 15); time.sleep(.01); return 'made' if hit else ''", "made", canary=True),
    Attack("has a timer end it", "e = struct.pack('qii48x', 0, 9, 0); n = ctypes.c_int()\n"
           "call(t, 'timer_create', 1, ctypes.create_string_buffer(e), ctypes.byref(n)); return 'made'", "made"),
    Attack("slows a process down", "os.setpriority(0, t['victim'], 19); return 'made'", "made"),
    Attack("binds a process to a processor", "os.sched_setaffinity(t['victim'], {0}); return 'made'", "made"),
    Attack("limits a process", "resource.prlimit(t['victim'], resource.RLIMIT_CPU, (9, 9)); return 'made'", "made"),
    Attack("raises its own limits", "resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096)); return 'made'", "made"),
    Attack("leaves its group", "os.setpgid(0, 0); return 'made'", "made"),
    Attack("asks to outlive its parent", "call(t, 'prctl', 1, 0, 0, 0, 0); return 'made'", "made"),
    Attack("asks to adopt orphans", "call(t, 'prctl', 36, 1, 0, 0, 0); return 'made'", "made"),
    Attack("lets itself be traced", "call(t, 'prctl', 4, 1, 0, 0, 0); return 'made'", "made"),
]  # fmt: skip

_KERNEL = [
    Attack("uses io_uring", "call(t, 'io_uring_setup', 4, ctypes.create_string_buffer(120)); return 'made'", "made",
           "lenient kernel", canary=True),
    Attack("uses bpf", "a = ctypes.create_string_buffer(struct.pack('IIIII', 2, 4, 4, 1, 0), 120)\n"
           "call(t, 'bpf', 0, a, 120); return 'made'", "made", "root"),
    Attack("uses userfaultfd", "call(t, 'userfaultfd', 1); return 'made'", "made", "lenient kernel"),
    Attack("uses the kernel's keys", "call(t, 'keyctl', 0, -3, 1); return 'made'", "made", "lenient kernel"),
    Attack("uses performance counters", "a = ctypes.create_string_buffer(struct.pack('IIQ', 1, 120, 0), 120)\n"
           "call(t, 'perf_event_open', a, 0, -1, -1, 0); return 'made'", "made", "root"),
    Attack("makes a user namespace",
           "call(t, 'unshare', 0x10000000); return 'made'", "made", "lenient kernel", canary=True),
    Attack("makes a mount namespace and mounts", "call(t, 'unshare', 0x20000); "
           "call(t, 'mount', b'none', b'/', 0, 1 << 18 | 1 << 14, 0); "
           "call(t, 'mount', b'x', b'/mnt', b'tmpfs', 0, 0); return 'made'", "made", "root"),
    Attack("changes its root", "call(t, 'chroot', b'/'); return 'made'", "made", "root"),
    Attack("changes its user", "os.setresuid(12345, 12345, 12345); return 'made'", "made", "root"),
    Attack("changes its personality", "call(t, 'personality', 0x0040000); return 'made'", "made"),
    Attack("names the machine", "n = socket.gethostname().encode(); call(t, 'sethostname', n, len(n)); return 'made'",
           "made", "root"),
    Attack("uses vmsplice", "r, w = os.pipe(); b = ctypes.create_string_buffer(8)\n"
           "call(t, 'vmsplice', w, struct.pack('QQ', ctypes.addressof(b), 8), 1, 0); return 'made'", "made"),
]  # fmt: skip

_FILL = [
    Attack("fills the heap", "x = bytes(3 << 30); return 'made'", "made", canary=True),
    Attack("maps memory", "import mmap; x = mmap.mmap(-1, 3 << 30); return 'made'", "made"),
    Attack("shares memory with itself",
           "import mmap; x = mmap.mmap(-1, 3 << 30, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)\n"
           "return 'made'", "made"),
    Attack("starts two thousand threads", "e = threading.Event(); n = 0\ntry:\n"
           "    for n in range(2000): threading.Thread(target=e.wait, daemon=True).start()\n"
           "finally: e.set()\nreturn 'made'", "made"),
    Attack("starts a thousand threads with small stacks", "threading.stack_size(32768); e = threading.Event()\ntry:\n"
           "    for n in range(1000): threading.Thread(target=e.wait, daemon=True).start()\n    time.sleep(1)\n"
           "finally: e.set()\nreturn 'made'", "made", canary=True),
    Attack("opens two hundred files", "x = [os.open('/dev/null', 0) if os.path.exists('/dev/null') else os.dup(0) "
           "for n in range(200)]; return 'made'", "made"),
    Attack("writes a large file", "open('a', 'wb').write(bytes(8 << 20)); return 'made'", "made", canary=True),
    Attack("fills the disk",
           "for n in range(12): open(str(n), 'wb').write(bytes(3 << 20))\ntime.sleep(1); return 'made'",
           "made"),
    Attack("fills the disk with empty files", "for n in range(1000): open(str(n), 'wb')\ntime.sleep(1); return 'made'",
           "made"),
    Attack("makes folders in folders", "for n in range(50): os.mkdir('d'); os.chdir('d')\nreturn 'made'", "made"),
]  # fmt: skip

ATTACKS: tuple[Attack, ...] = (*_READ, *_TALK, *_CHANGE, *_PROCESS, *_KERNEL, *_FILL)
CANARIES: tuple[Attack, ...] = tuple(attack for attack in ATTACKS if attack.canary)


def program(attack: Attack) -> str:
    """The snippet with what it uses: defines `attempt(t)`."""
    body = "\n".join("    " + line for line in attack.body.splitlines())
    return f"{PRELUDE}\ndef attack(t):\n{body}\n"
