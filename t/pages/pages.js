// Opens pages in Chromium, as pages.t says in JSON on standard input:
//
//     { "chromium": path, "out": directory, "pages": [{ "name", "url", "paper" }] }
//
// and writes what it found as JSON, screenshots and PDFs into the directory.

const fs = require('fs');
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const screens = {
    desktop: { viewport: { width: 1280, height: 960 }, colorScheme: 'light' },
    dark: { viewport: { width: 1280, height: 960 }, colorScheme: 'dark' },
    phone: { viewport: { width: 375, height: 740 }, deviceScaleFactor: 2, isMobile: true, colorScheme: 'light' },
};

// what sticks out of where it should be; runs in the page

function layout() {
    const root = document.documentElement;
    const faults = [];
    if (root.scrollWidth > root.clientWidth + 1) faults.push(`the page is ${root.scrollWidth} wide, the screen ${root.clientWidth}`);
    const paper = document.querySelector('.paper');
    if (!paper) return faults;
    if (paper.scrollHeight > paper.clientHeight + 1 || paper.scrollWidth > paper.clientWidth + 1)
        faults.push(`the paper is ${paper.scrollWidth} by ${paper.scrollHeight}, there is room for ${paper.clientWidth} by ${paper.clientHeight}`);
    const frame = paper.getBoundingClientRect();
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
        if (box.bottom > frame.bottom + 1) faults.push(`${name} is too low`);
        last = box.bottom;
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
        errors: errors.filter(text => !/favicon/.test(text)),
        layout: await tab.evaluate(layout),
        violations: violations.map(v => `${v.id}: ${v.nodes.map(node => node.html).slice(0, 3).join(' ')}`),
        text: await tab.evaluate(() => document.body.innerText),
        elements: await tab.evaluate(() => document.querySelectorAll('script, img, iframe, link, [style], [onclick]').length),
    };
    await context.close();
    return result;
}

async function print(browser, { out }, page, format, viewport) {
    const context = await browser.newContext({ viewport });
    const tab = await context.newPage();
    await tab.goto(page.url);
    await tab.emulateMedia({ media: 'print' });
    const faults = await tab.evaluate(layout);
    await tab.pdf({ path: `${out}/${page.name}-${format}.pdf`, format, landscape: true, printBackground: true, preferCSSPageSize: false });
    await context.close();
    return faults;
}

async function main() {
    const job = JSON.parse(fs.readFileSync(0, 'utf8'));
    const browser = await chromium.launch({ executablePath: job.chromium, args: ['--no-sandbox', '--disable-gpu'] });
    const results = {};
    for (const page of job.pages) {
        const result = results[page.name] = {};
        for (const screen in screens) if (screen !== 'dark' || !page.paper) result[screen] = await look(browser, job, page, screen);
        if (!page.paper) continue;
        result.a4 = await print(browser, job, page, 'A4', { width: 1123, height: 794 });
        result.letter = await print(browser, job, page, 'Letter', { width: 1056, height: 816 });
    }
    await browser.close();
    fs.writeFileSync(`${job.out}/results.json`, JSON.stringify(results, null, 1));
}

main().catch(error => { console.error(error); process.exit(1); });
