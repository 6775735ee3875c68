// Opens pages in Chromium, as pages.t says in JSON on standard input:
//
//     { "chromium": path, "out": directory, "pages": [{ "name", "url", "paper" }] }
//
// and writes what it found as JSON, screenshots and PDFs into the directory. Of a page
// with "picture", [width, height], it takes a picture of that much, and no more.

const fs = require('fs');
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const screens = {
    desktop: { viewport: { width: 1280, height: 960 }, colorScheme: 'light' },
    dark: { viewport: { width: 1280, height: 960 }, colorScheme: 'dark' },
    phone: { viewport: { width: 375, height: 740 }, deviceScaleFactor: 2, isMobile: true, colorScheme: 'light' },
};

// what sticks out of where it should be, is cut off or too small; runs in the page

function layout() {
    const root = document.documentElement;
    const faults = [];
    if (root.scrollWidth > root.clientWidth + 1) faults.push(`the page is ${root.scrollWidth} wide, the screen ${root.clientWidth}`);
    for (const cell of document.querySelectorAll('th, td:not(.who)')) {
        const range = document.createRange();
        range.selectNodeContents(cell);
        const lines = new Set([...range.getClientRects()].map(box => Math.round(box.bottom)));
        if (lines.size > 1) faults.push(`"${cell.textContent}" has ${lines.size} lines`);
    }
    for (const paper of document.querySelectorAll('.paper')) {
        if (paper.scrollHeight > paper.clientHeight + 1 || paper.scrollWidth > paper.clientWidth + 1)
            faults.push(`the paper is ${paper.scrollWidth} by ${paper.scrollHeight}, there is room for ${paper.clientWidth} by ${paper.clientHeight}`);
        const frame = paper.getBoundingClientRect();
        const framed = getComputedStyle(paper.querySelector('.frame')).display !== 'none';
        if (framed && frame.height > frame.width * 192 / 265 + 1) faults.push(`the paper is ${frame.height} high, its frame ${frame.width * 192 / 265}`);
        const unit = frame.width / 265;
        let last = -Infinity;
        for (const element of paper.children) {
            if (element.matches('svg')) continue;
            const box = element.getBoundingClientRect();
            const range = document.createRange();
            range.selectNodeContents(element);
            const text = range.getBoundingClientRect();
            const name = element.className || element.tagName;
            if (box.top < last - 1) faults.push(`${name} is over what comes before it`);
            if (Math.min(box.left, text.left) < frame.left - 1 || Math.max(box.right, text.right) > frame.right + 1) faults.push(`${name} is too wide`);
            if (framed && box.bottom > frame.bottom - 12 * unit) faults.push(`${name} is too low`);
            for (const part of [element, ...element.querySelectorAll('*:not(svg, svg *)')]) {
                const points = parseFloat(getComputedStyle(part).fontSize) / unit * 72 / 25.4;
                if (framed && points < 7) faults.push(`${name} has type of ${points} points`);
            }
            last = box.bottom;
        }
    }
    return faults;
}

async function look(browser, { out }, page, screen) {
    const context = await browser.newContext({ ...screens[screen], javaScriptEnabled: true });
    const tab = await context.newPage();
    const errors = [];
    tab.on('console', message => errors.push(message.text()));
    tab.on('pageerror', error => errors.push(String(error)));
    tab.on('request', request => { if (request.url() !== page.url && !/favicon/.test(request.url())) errors.push(`asks for ${request.url()}`); });
    const response = await tab.goto(page.url);
    await tab.screenshot({ path: `${out}/${page.name}-${screen}.png`, fullPage: screen === 'phone' });
    await tab.evaluate(axe);
    const { violations } = await tab.evaluate(() => window.axe.run());
    const result = {
        status: response.status(),
        errors: errors.filter(text => !/favicon|status of 404/.test(text)),
        layout: await tab.evaluate(layout),
        violations: violations.map(v => `${v.id}: ${v.nodes.map(node => node.html).slice(0, 3).join(' ')}`),
        text: await tab.evaluate(() => document.body.innerText),
        elements: await tab.evaluate(() => document.querySelectorAll('script, img, iframe, link, [style], [onclick]').length),
    };
    await context.close();
    return result;
}

async function print(browser, { out }, page, format, [width, height]) {
    const viewport = page.paper ? { width, height } : { width: height, height: width };
    const context = await browser.newContext({ viewport });
    const tab = await context.newPage();
    await tab.goto(page.url);
    await tab.emulateMedia({ media: 'print' });
    const faults = await tab.evaluate(layout);
    await tab.pdf({ path: `${out}/${page.name}-${format}.pdf`, format, landscape: !!page.paper, printBackground: true, preferCSSPageSize: false });
    await context.close();
    return faults;
}

async function picture(browser, { out }, page) {
    const [width, height] = page.picture;
    const tab = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: 0.8, colorScheme: 'light' });
    const response = await tab.goto(page.url);
    await tab.screenshot({ path: `${out}/${page.name}.png` });
    await tab.close();
    return { status: response.status() };
}

async function main() {
    const job = JSON.parse(fs.readFileSync(0, 'utf8'));
    const browser = await chromium.launch({ executablePath: job.chromium, args: ['--no-sandbox', '--disable-gpu'] });
    const results = {};
    for (const page of job.pages) {
        if (page.picture) {
            results[page.name] = await picture(browser, job, page);
            continue;
        }
        const result = results[page.name] = {};
        for (const screen in screens) if (screen !== 'dark' || !page.paper) result[screen] = await look(browser, job, page, screen);
        result.a4 = await print(browser, job, page, 'A4', [1123, 794]);
        result.letter = await print(browser, job, page, 'Letter', [1056, 816]);
    }
    await browser.close();
    fs.writeFileSync(`${job.out}/results.json`, JSON.stringify(results, null, 1));
}

main().catch(error => { console.error(error); process.exit(1); });
