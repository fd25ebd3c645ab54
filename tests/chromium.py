"""A headless Chromium for tests of pages, driven by its DevTools protocol over a pipe: no driver, no package.

Messages are JSON ended by a zero byte, read on the browser's descriptor 3 and written on its 4
(https://chromedevtools.github.io/devtools-protocol).
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

#: What Debian and others call it.
NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
#: Software rendering, so that machines without a GPU draw the same.
FLAGS = ('--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--use-angle=swiftshader',
         '--enable-unsafe-swiftshader', '--no-first-run', '--disable-extensions', '--disable-background-networking',
         '--remote-debugging-pipe')


def find_chromium():
    """Path of a Chromium, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """One browser with one page; a context manager."""

    def __init__(self, size=(1200, 760), timeout=240):
        self.timeout, self.events, self.last_id, self.buffer = timeout, [], 0, b''
        self.profile = tempfile.mkdtemp()
        read_end, self.requests = os.pipe()
        self.answers, write_end = os.pipe()
        # The shell puts the pipes where the browser looks for them; others than bash know one-digit descriptors only.
        command = [find_chromium(), *FLAGS, f'--user-data-dir={self.profile}', f'--window-size={size[0]},{size[1]}']
        self.process = subprocess.Popen(['bash', '-c', f'exec "$@" 3<&{read_end} 4>&{write_end}', 'bash', *command],
                                        pass_fds=(read_end, write_end), stderr=subprocess.DEVNULL)
        os.close(read_end)
        os.close(write_end)
        self.session = None
        target = self('Target.createTarget', url='about:blank')['targetId']
        self.session = self('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Network', 'Log'):
            self(f'{domain}.enable')
        self('Emulation.setDeviceMetricsOverride', width=size[0], height=size[1], deviceScaleFactor=1, mobile=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.requests)
        os.close(self.answers)
        shutil.rmtree(self.profile, ignore_errors=True)

    def __call__(self, method, **params):
        """Result of a command; events that arrive meanwhile are kept in ``events``."""
        self.last_id += 1
        message = dict(id=self.last_id, method=method, params=params)
        if self.session:
            message['sessionId'] = self.session
        data = json.dumps(message).encode() + b'\0'
        while data:
            data = data[os.write(self.requests, data):]
        while True:
            answer = self._read()
            if answer.get('id') == self.last_id:
                if 'error' in answer:
                    raise RuntimeError(f'{method}: {answer["error"]}')
                return answer['result']
            self.events.append(answer)

    def _read(self):
        while b'\0' not in self.buffer:
            if not select.select([self.answers], [], [], self.timeout)[0]:
                raise TimeoutError(f'no word from the browser for {self.timeout} s')
            chunk = os.read(self.answers, 1 << 20)
            if not chunk:
                raise RuntimeError('the browser ended')
            self.buffer += chunk
        message, self.buffer = self.buffer.split(b'\0', 1)
        return json.loads(message)

    def open(self, path):
        """Show a file; ``events`` start anew."""
        self.events.clear()
        self('Page.navigate', url=path.resolve().as_uri())
        while not any(event['method'] == 'Page.loadEventFired' for event in self.events):
            self.events.append(self._read())

    def evaluate(self, expression):
        """Value of a JavaScript expression; a promise is waited for."""
        result = self('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in result:
            raise RuntimeError(f'{expression}: {result["exceptionDetails"]}')
        return result['result'].get('value')

    def settle(self):
        """Wait until the page has drawn twice."""
        self.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')

    def mouse(self, kind, x, y, held=True):
        """A mouse event of kind ``Pressed``, ``Released`` or ``Moved``, left button, px of the page."""
        button = dict(button='left', buttons=1, clickCount=1) if held else {}
        self('Input.dispatchMouseEvent', type=f'mouse{kind}', x=x, y=y, **button)

    def click(self, x, y):
        """Click at a place, px of the page."""
        self.mouse('Moved', x, y, held=False)
        self.mouse('Pressed', x, y)
        self.mouse('Released', x, y)
        self.settle()

    def press(self, selector):
        """Click the middle of the element that a CSS selector finds."""
        x, y = self.evaluate(f'(() => {{ const box = document.querySelector({json.dumps(selector)})'
                             '.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()')
        self.click(x, y)

    def drag(self, start, stop, steps):
        """Drag between two places; seconds that it took."""
        began = time.perf_counter()
        self.mouse('Moved', *start, held=False)
        self.mouse('Pressed', *start)
        for i in range(1, steps + 1):
            self.mouse('Moved', *(a + (b - a) * i / steps for a, b in zip(start, stop)))
        self.mouse('Released', *stop)
        return time.perf_counter() - began

    def screenshot(self, path):
        """Write what is seen as PNG."""
        path.write_bytes(base64.b64decode(self('Page.captureScreenshot')['data']))

    @property
    def complaints(self):
        """Messages on the console, exceptions and entries of the log since :meth:`open`."""
        kinds = ('Runtime.consoleAPICalled', 'Runtime.exceptionThrown', 'Log.entryAdded')
        return [event['params'] for event in self.events if event['method'] in kinds]

    @property
    def requested(self):
        """Addresses asked for since :meth:`open`, but for data in the page."""
        urls = [event['params']['request']['url'] for event in self.events
                if event['method'] == 'Network.requestWillBeSent']
        return [url for url in urls if not url.startswith('data:')]
