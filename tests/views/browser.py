# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""A headless Chromium, driven over the Chrome DevTools Protocol: JSON messages over a WebSocket (RFC 6455)."""
import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

NAMES = ('chromium', 'chromium-browser', 'google-chrome')


def find():
    return next(filter(None, map(shutil.which, NAMES)), None)


class Socket:
    """The client's side of a WebSocket, as far as text messages need it."""

    def __init__(self, port, path):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=60)
        self.rest = b''
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(('GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                             'Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n' % (path, port, key)).encode())
        while b'\r\n\r\n' not in self.rest:
            self.fill()
        self.rest = self.rest.split(b'\r\n\r\n', 1)[1]

    def fill(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise OSError('the browser closed the connection')
        self.rest += data

    def take(self, n):
        while len(self.rest) < n:
            self.fill()
        data, self.rest = self.rest[:n], self.rest[n:]
        return data

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        head = struct.pack('>BBQ', 0x81, 0x80 | 127, len(data)) + mask
        self.socket.sendall(head + bytes(c ^ mask[i % 4] for i, c in enumerate(data)))

    def receive(self):
        message, last = b'', False
        while not last:
            first, length = self.take(2)
            last, length = first & 0x80, length & 0x7f
            if length > 125:
                length = int.from_bytes(self.take(2 if length == 126 else 8), 'big')
            message += self.take(length)
        return message.decode()


class Browser:
    def __init__(self, program):
        self.folder = tempfile.TemporaryDirectory(prefix='cimc-browser-', ignore_cleanup_errors=True)
        self.process = subprocess.Popen([program, '--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0',
                                         '--user-data-dir=' + self.folder.name, 'about:blank'],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.n = 0
        self.complaints = []
        try:
            self.connect()
        except BaseException:
            self.close()
            raise

    def connect(self):
        name, end = os.path.join(self.folder.name, 'DevToolsActivePort'), time.monotonic() + 60
        while not (os.path.exists(name) and open(name).read().count('\n')):
            if time.monotonic() > end or self.process.poll() is not None:
                raise OSError('the browser does not start')
            time.sleep(0.05)
        port = int(open(name).read().split()[0])
        pages = json.load(urllib.request.urlopen('http://127.0.0.1:%d/json' % port, timeout=60))
        address = next(p for p in pages if p['type'] == 'page')['webSocketDebuggerUrl']
        self.socket = Socket(port, '/' + address.split('/', 3)[3])
        for domain in ('Page', 'Runtime', 'Log'):
            self.ask(domain + '.enable')

    def ask(self, method, **parameters):
        self.n += 1
        self.socket.send(json.dumps({'id': self.n, 'method': method, 'params': parameters}))
        while True:
            answer = json.loads(self.socket.receive())
            if answer.get('method') in ('Runtime.exceptionThrown', 'Log.entryAdded', 'Runtime.consoleAPICalled'):
                self.complaints.append(answer['params'])
            if answer.get('id') == self.n:
                if 'error' in answer:
                    raise ValueError('%s: %s' % (method, answer['error']))
                return answer['result']

    def js(self, expression):
        answer = self.ask('Runtime.evaluate', expression=expression, returnByValue=True)
        if 'exceptionDetails' in answer:
            raise ValueError('%s: %s' % (expression, answer['exceptionDetails']))
        return answer['result'].get('value')

    def open(self, path, width=1400, dark=False, media=''):
        """Loads a file, in a window of that width."""
        self.ask('Emulation.setDeviceMetricsOverride', width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.ask('Emulation.setEmulatedMedia', media=media, features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])
        self.ask('Page.navigate', url='file://' + path)
        while self.js('document.readyState + location.protocol') != 'completefile:':
            time.sleep(0.02)

    def key(self, name):
        text = {'Enter': '\r', ' ': ' '}.get(name, name if len(name) == 1 else '')
        code = {'Enter': 13, 'Tab': 9, 'Escape': 27, 'ArrowLeft': 37, 'ArrowUp': 38, 'ArrowRight': 39, 'ArrowDown': 40}.get(name, ord(name[0]))
        more = {'text': text} if text else {}
        self.ask('Input.dispatchKeyEvent', type='keyDown', key=name, windowsVirtualKeyCode=code, **more)
        self.ask('Input.dispatchKeyEvent', type='keyUp', key=name, windowsVirtualKeyCode=code)

    def mouse(self, kind, x, y, **more):
        self.ask('Input.dispatchMouseEvent', type=kind, x=x, y=y, **more)

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()
