"""A headless Chromium for tests of pages, driven by Playwright (``pip install playwright``)."""
import shutil
from contextlib import contextmanager

import pytest

#: What Debian and others call it.
NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
#: Software rendering, so that machines without a GPU draw the same.
FLAGS = ('--no-sandbox', '--disable-dev-shm-usage', '--use-angle=swiftshader', '--enable-unsafe-swiftshader',
         '--disable-background-networking')


def find_chromium():
    """Path of a Chromium, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


#: For the tests that open a page.
NEEDS_BROWSER = pytest.mark.skipif(find_chromium() is None,
                                   reason='needs a Chromium (Debian: apt-get install chromium), pip install playwright')


@contextmanager
def chromium_page(size=(1200, 760), timeout=240):
    """An empty page, Playwright's; ``complaints`` and ``requested`` (addresses, but for data) are what it saw since."""
    playwright = pytest.importorskip('playwright.sync_api')
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        page = browser.new_page(viewport=dict(width=size[0], height=size[1]))
        page.set_default_timeout(1000 * timeout)
        page.complaints, page.requested = [], []
        page.on('console', lambda message: page.complaints.append(message.text))
        page.on('pageerror', lambda error: page.complaints.append(str(error)))
        page.on('request', lambda request: request.url.startswith('data:') or page.requested.append(request.url))
        yield page
        browser.close()


def settle(page):
    """Wait until the page has drawn twice."""
    page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
