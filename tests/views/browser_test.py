# SPDX-License-Identifier: Apache-2.0
# Copyright The cimc authors
"""The report in a browser: a headless Chromium loads it, and every control is used by keyboard and mouse.

usage: browser_test.py CIMC ROOT
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from bench import run_cases  # noqa: E402
import browser  # noqa: E402

COSTS = ['--arch=mesh', '--frames=3', '--extra-pes=8']
chromium = None    # shared by all cases


def show(b, *options, **window):
    b.run('report', b.model, '-o', 'r.html', *options)
    chromium.open(b.path('r.html'), **window)


def js(text):
    return chromium.js(text)


def loads(b):
    """loads without a word on the console, light and dark, at 1400 and at 420 pixels, and nothing runs out of the page"""
    for options in ([], COSTS):
        b.run('report', b.model, '-o', 'r.html', *options)
        for width in (1400, 420):
            for dark in (False, True):
                chromium.open(b.path('r.html'), width=width, dark=dark)
                what = '%s at %d, dark: %s' % (options, width, dark)
                b.equal(chromium.complaints, [], what)
                b.expect(js('document.documentElement.scrollWidth') <= js('document.documentElement.clientWidth') <= width, what + ': the page is wider than the window')
                back, ink = (js('getComputedStyle(document.%s).%s' % x).split('(')[1].split(',')[0] for x in (('body', 'backgroundColor'), ('body', 'color')))
                b.expect((int(back) < 64 < 192 < int(ink)) == dark and (int(ink) < 64 < 192 < int(back)) != dark, '%s: %s on %s' % (what, ink, back))
                shade = js("getComputedStyle(document.querySelector('.sched .b')).fill").split('(')[1].split(',')[0]
                b.expect((int(shade) < 64) == dark, '%s: rows of drawings are %s' % (what, shade))
    chromium.open(b.path('r.html'), media='print')
    b.equal(js("getComputedStyle(document.querySelector('nav')).display"), 'none', 'links on paper')
    b.equal(js("Array.from(document.querySelectorAll('.scroll')).filter(e => e.scrollHeight > e.clientHeight + 1).length"), 0, 'tables that are cut off on paper')


def zooms(b):
    """a drawing by keyboard: + and - zoom, arrows move, 0 shows all; the buttons do the same; Ctrl and the wheel zoom about the pointer"""
    show(b)
    view = lambda: [float(x) for x in js("document.querySelector('svg.sched').getAttribute('viewBox')").split()]
    whole = view()
    js("document.querySelector('svg.sched').focus()")
    chromium.key('+')
    near = view()
    b.expect(abs(near[2] * 1.5 - whole[2]) < 0.1 and near[0] > 0, 'after +: %r of %r' % (near, whole))
    chromium.key('ArrowRight')
    b.expect(view()[0] > near[0] and view()[1:] == near[1:], 'after an arrow: %r' % view())
    chromium.key('-')
    b.equal(view(), whole, 'after -')
    chromium.key('-')
    b.equal(view(), whole, 'nothing is outside of the drawing')
    for _ in range(40):
        chromium.key('+')
    b.expect(whole[2] / 600 < view()[2] < whole[2] / 400, 'there is an end: %r' % view())
    chromium.key('0')
    b.equal(view(), whole, 'after 0')
    js("document.querySelector('[data-zoom]').click()")
    b.equal(view(), near, 'after the button +')
    js("document.querySelectorAll('[data-zoom]')[2].click()")
    b.equal(view(), whole, 'after the button all')
    x, y = js("(r => [r.x + r.width / 4, r.y + r.height / 4])(document.querySelector('svg.sched').getBoundingClientRect())")
    chromium.mouse('mouseWheel', x, y, deltaX=0, deltaY=-400, modifiers=2)
    near = view()
    b.expect(near[2] < whole[2] and abs((near[0] + near[2] / 4) - whole[2] / 4) < 2, 'about the pointer: %r of %r' % (near, whole))
    chromium.mouse('mousePressed', x, y, button='left', clickCount=1)
    for step in (10, 20, 30):
        chromium.mouse('mouseMoved', x + step, y, button='left', buttons=1)
    chromium.mouse('mouseReleased', x + 30, y, button='left', clickCount=1)
    b.expect(view()[0] < near[0] and view()[2] == near[2], 'dragged: %r of %r' % (view(), near))
    near = view()
    js("document.querySelector('svg.sched').focus()")
    chromium.key('+')
    share = (x + 30 - js("document.querySelector('svg.sched').getBoundingClientRect().x")) / js("document.querySelector('svg.sched').getBoundingClientRect().width")
    b.expect(abs(view()[0] + share * view()[2] - near[0] - share * near[2]) < 2, 'about the pointer: %r of %r' % (view(), near))


def marks(b):
    """pointing tells the cycle; a click dims all other layers and shows the layer's numbers; arrows go through the list; Esc ends it"""
    show(b)
    opacity = lambda layer: js("getComputedStyle(document.querySelector('.sched .bars .a%d')).opacity" % layer)
    js("document.querySelector('.sched .bars .a2').scrollIntoView({block: 'center'})")
    box = js("(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector('.sched .bars .a2').getBoundingClientRect())")
    chromium.mouse('mouseMoved', *box)
    shown = js("document.querySelector('output').textContent")
    title = js("document.querySelector('.sched .bars .a2 title').textContent")
    first, last = (int(x.replace(',', '')) for x in title.split('cycles ')[1].split(', ')[0].split('-'))
    b.contains(shown, title)
    b.expect(first <= int(shown.split()[1].replace(',', '')) < last, 'cycle: ' + shown)
    b.expect(js("getComputedStyle(document.querySelector('.sched .bars .a2')).stroke") != 'none', 'no outline')
    chromium.mouse('mousePressed', *box, button='left', clickCount=1)
    chromium.mouse('mouseReleased', *box, button='left', clickCount=1)
    b.equal([float(opacity(i)) < 0.5 for i in (1, 2, 3)], [True, False, True], 'dimmed')
    b.contains(js("document.getElementById('picked').textContent"), '/block1/conv2/Conv', '14 x 14 x 16')
    chromium.key('Escape')
    b.equal([opacity(i) for i in (1, 2, 3)], ['1', '1', '1'], 'after Esc')
    chromium.ask('Input.dispatchTouchEvent', type='touchStart', touchPoints=[{'x': box[0], 'y': box[1]}])
    chromium.ask('Input.dispatchTouchEvent', type='touchEnd', touchPoints=[])
    b.equal([float(opacity(i)) < 0.5 for i in (1, 2, 3)], [True, False, True], 'picked by a finger')
    chromium.key('Escape')
    js("document.querySelector('.layers button').focus()")
    chromium.key('ArrowDown')
    chromium.key('Enter')
    b.equal([float(opacity(i)) < 0.5 for i in (0, 1, 2)], [True, False, True], 'picked from the list')
    b.equal(js("document.activeElement.getAttribute('aria-pressed')"), 'true', 'the button says so')


def finds(b):
    """/ goes to the filter: rows and bars of other layers go away or are dimmed"""
    show(b)
    rows = lambda section: js("Array.from(document.querySelectorAll('#%s tbody tr')).filter(r => r.offsetParent).map(r => r.querySelector('td.l').title)" % section)
    b.equal(len(rows('mapping')), 7, 'layers')
    chromium.key('/')
    b.equal(js('document.activeElement.id'), 'filter', 'focus')
    for letter in 'BLOCK1':
        chromium.key(letter)
    b.equal(rows('mapping'), ['/block1/conv1/Conv', '/block1/conv2/Conv'], 'rows')
    b.expect(rows('path') and all('block1' in name for name in rows('path')), 'rows of the path: %r' % rows('path'))
    b.equal([float(js("getComputedStyle(document.querySelector('.sched .bars .a%d')).opacity" % i)) < 0.5 for i in range(4)], [True, False, False, True], 'bars')
    b.equal(js("Array.from(document.querySelectorAll('.layers button')).filter(e => e.offsetParent).length"), 2, 'list')
    chromium.key('Escape')
    b.equal([len(rows('mapping')), js("document.getElementById('filter').value")], [7, ''], 'after Esc')


def sorts(b):
    """Tab reaches every control; Enter on a head sorts, with aria-sort; again: the other way round"""
    show(b, '--extra-pes=9')
    wanted = js("document.querySelectorAll('nav a, input, th, summary, svg.sched, .tools button, .verdict a').length + 1")    # the list of layers is one
    heads, reached = 0, 0
    for _ in range(wanted + 40):
        chromium.key('Tab')
        tag = js("document.activeElement === document.body ? '' : document.activeElement.tagName")
        if not tag:
            break
        reached += 1
        heads += tag == 'TH'
    b.equal(heads, js("document.querySelectorAll('th').length"), 'heads reached')
    b.expect(reached >= wanted, '%d of %d controls reached' % (reached, wanted))
    cycles = lambda: js("Array.from(document.querySelectorAll('#mapping tbody tr')).map(r => Number(r.cells[5].dataset.v))")
    head = "document.querySelectorAll('#mapping th')[5]"
    js(head + '.focus()')
    for key, order, wanted in (('Enter', 'descending', sorted(cycles(), reverse=True)), (' ', 'ascending', sorted(cycles()))):
        chromium.key(key)
        b.equal([js(head + ".getAttribute('aria-sort')"), cycles()], [order, wanted], 'sorted by ' + repr(key))
    js("document.querySelectorAll('#mapping th')[1].click()")
    names = js("Array.from(document.querySelectorAll('#mapping tbody tr')).map(r => r.cells[1].textContent)")
    b.equal([names, js(head + ".getAttribute('aria-sort')")], [sorted(names), 'none'], 'by name')
    b.equal(js("document.querySelectorAll('svg:not([aria-label])').length"), 0, 'pictures without words')


def picture_alone(b):
    """the drawing of --schedule-svg fills the window, and is dark where the system is"""
    b.run('compile', b.model, '-o', 'p.cim', '--schedule-svg=s.svg')
    for dark in (False, True):
        chromium.open(b.path('s.svg'), width=900, dark=dark)
        b.equal(chromium.complaints, [], 'complaints')
        b.equal(round(js('document.documentElement.getBoundingClientRect().width')), 900, 'width')
        paper = js("getComputedStyle(document.querySelector('.paper')).fill").split('(')[1].split(',')[0]
        b.expect((int(paper) < 64) == dark, 'paper %s, dark: %s' % (paper, dark))


if __name__ == '__main__':
    program = browser.find()
    if not program:
        print('1..0 # SKIP no Chromium (package chromium): the report is not tried in a browser')
        sys.exit(0)
    chromium = browser.Browser(program)
    try:
        sys.exit(run_cases([loads, zooms, marks, finds, sorts, picture_alone]))
    finally:
        chromium.close()
