
/*
 * The style sheet of the HTML pages.
 *
 * A certificate has units of its own (--u), so that it has the same lines on
 * paper and on a screen.  It is 265 by 192 units, and fits on A4 and on US
 * Letter: on paper, a unit is a millimetre.  Type has a unit (--f) that is
 * smaller if there is much text, and a least size (--m), 7 points.
 * stockcert_paper_plan.c has the same numbers.  On a narrow screen, a
 * certificate is laid out like any other page.
 */


#ifndef STOCKCERT_STYLE_H
#define STOCKCERT_STYLE_H


static const char  stockcert_style[] =

"*{box-sizing:border-box}"
"body{margin:0;overflow-wrap:anywhere}"
"bdi{unicode-bidi:isolate}"

/* the certificate */

".certificate{background:#e9e6dd;color:#1b2430;color-scheme:light;"
"font-family:Georgia,'Times New Roman',serif;line-height:1.3}"
".paper{position:relative;overflow:hidden;background:#fffdf6;"
"padding:1.5rem 1.25rem;text-align:center}"
".paper p,.paper h1,.paper h2{margin:.4rem 0}"
".frame{display:none}"
".top{display:flex;justify-content:space-between;align-items:baseline;gap:1rem;"
"font-size:.95rem}"
".top b{font-size:1.2em;letter-spacing:.04em}"
".paper h1{font-size:1.6rem;font-weight:700;line-height:1.15}"
".paper h2{font-size:1.1rem;font-weight:400;font-style:italic;"
"line-height:1.15}"
".state,.certifies,.issued{font-size:.95rem}"
".holder{font-size:1.5rem;font-weight:700;line-height:1.2;"
"border-bottom:1px solid #8a7a4a}"
".amount b{font-weight:700}"
".legends{font-size:.8rem;text-align:left}"
".legends p,.see{font-weight:700}"
".again{text-align:left}"
".sign{display:flex;flex-wrap:wrap;justify-content:space-between;"
"align-items:flex-end;gap:1rem;margin-top:1rem}"
".line{flex:1 1 9rem;border-top:1px solid #1b2430;padding-top:.2rem;"
"font-size:.9rem;margin-top:2.5rem}"
".line span{display:block;font-style:italic}"
".emblem{width:5rem;height:5rem}"
".qr{width:7rem;height:7rem}"
".record{font-size:.75rem;font-family:'DejaVu Sans Mono',Consolas,monospace}"
".record a,.back a{color:#123a78}"
".back{font-size:.95rem;padding:.75rem 1.25rem;margin:0}"
".over{position:absolute;inset:0;width:100%;height:100%;"
"pointer-events:none}"
".void{color:#a01414;font-weight:700}"

"@media print,(min-width:60rem){"
".certificate{--u:min(100vw / 275,100vh / 200)}"
".paper{--f:var(--u);--m:2.5*var(--u)}"
".paper.s2{--f:.8*var(--u)}"
".paper.s3{--f:.58*var(--u)}"
".paper{width:calc(265*var(--u));min-height:calc(192*var(--u));"
"margin:calc(4*var(--u)) auto;padding:calc(13*var(--u)) calc(17*var(--u));"
"display:flex;flex-direction:column;justify-content:space-between;"
"box-shadow:0 1px 8px #0004}"
".paper p,.paper h1,.paper h2{margin:0}"
".frame{display:block;position:absolute;inset:0;width:100%;height:100%}"
".paper>:not(svg){position:relative}"
".top{font-size:max(var(--m),4*var(--f))}"
".paper h1{font-size:max(var(--m),12*var(--f));font-variant:small-caps;"
"letter-spacing:.03em}"
".paper h1.w2{font-size:max(var(--m),7.5*var(--f))}"
".paper h1.w3{font-size:max(var(--m),3.8*var(--f));letter-spacing:0;"
"font-variant:normal}"
".state{font-size:max(var(--m),4*var(--f))}"
".paper h2{font-size:max(var(--m),7*var(--f))}"
".paper h2.w2{font-size:max(var(--m),5*var(--f))}"
".paper h2.w3{font-size:max(var(--m),3.4*var(--f))}"
".certifies,.amount,.issued,.see{font-size:max(var(--m),4.6*var(--f))}"
".holder{font-size:max(var(--m),10*var(--f));padding:0 calc(4*var(--u))}"
".holder.w2{font-size:max(var(--m),6.5*var(--f))}"
".holder.w3{font-size:max(var(--m),3.8*var(--f))}"
".paper .amount{margin:0 calc(12*var(--u))}"
".legends{font-size:max(var(--m),2.9*var(--f));line-height:1.2}"
".paper .legends p+p{margin-top:calc(1*var(--u))}"
".again{font-size:calc(4.6*var(--u))}"
".again.w2{font-size:calc(3.4*var(--u))}"
".again.w3{font-size:calc(var(--m))}"
".paper .again{margin:calc(3*var(--u)) 0}"
".again~.legends{flex:1}"
".sign{flex-wrap:nowrap;margin:0;gap:calc(7*var(--u))}"
".line{flex:1 1 0;font-size:max(var(--m),3.4*var(--f));line-height:1.15;"
"margin:0;padding-top:calc(1*var(--u))}"
".line.w2{font-size:max(var(--m),2.6*var(--f))}"
".line.w3{font-size:calc(var(--m))}"
".emblem{width:calc(25*var(--u));height:calc(25*var(--u));flex:none}"
".qr{width:calc(30*var(--u));height:calc(30*var(--u));flex:none}"
".record{font-size:calc(var(--m));line-height:1.2}"
"}"

"@page{size:landscape;margin:0}"
"@media print{"
".certificate{--u:1mm;background:none;-webkit-print-color-adjust:exact;"
"print-color-adjust:exact}"
".paper{margin:clamp(0mm,(100vh - 192mm) / 2,12mm) auto 0;box-shadow:none;"
"break-inside:avoid}"
".paper+.paper{break-before:page}"
".back{display:none}"
"}"

/* the stock book */

".book{--ink:#1b2430;--dim:#55606e;--paper:#fff;--line:#d5dae1;--bar:#2f6db3;"
"--rest:#dfe6ee;--link:#123a78;--bad:#a01414;color:var(--ink);"
"background:var(--paper);font:1rem/1.5 system-ui,sans-serif;"
"color-scheme:light dark}"
"@media screen and (prefers-color-scheme:dark){.book{--ink:#e8ecf1;"
"--dim:#a9b4c2;--paper:#12161c;--line:#333c48;--bar:#6aa7ee;--rest:#2a323d;"
"--link:#9cc4f7;"
"--bad:#ff9d9d}}"
".book main{max-width:62rem;margin:0 auto;padding:1rem}"
".book h1{font:700 1.8rem/1.2 Georgia,serif;margin:.5rem 0}"
".book h2{font-size:1.15rem;margin:1.5rem 0 .25rem}"
".book a{color:var(--link)}"
".book .dim{color:var(--dim);font-size:.9rem;margin:.25rem 0}"
".book .bar{display:block;width:100%;height:.9rem;border-radius:.45rem}"
".book .bar path{fill:var(--rest)}"
".book .bar rect{fill:var(--bar)}"
".book table{border-collapse:collapse;width:100%;margin:.5rem 0}"
".book th,.book td{text-align:left;padding:.35rem .5rem;white-space:nowrap;"
"border-bottom:1px solid var(--line);vertical-align:top}"
".book .who{white-space:normal;width:100%}"
".book .n{text-align:right;font-variant-numeric:tabular-nums}"
".book .void{color:var(--bad)}"
".book nav{display:flex;gap:1.5rem;margin:1rem 0}"
".book footer{border-top:1px solid var(--line);margin-top:2rem;"
"font-size:.8rem;color:var(--dim)}"

/* a row is a block: holder and shares, and below that the dates */

"@media screen and (max-width:40rem){"
".book table,.book tbody{display:block}"
".book thead{position:absolute;width:1px;height:1px;overflow:hidden;"
"clip-path:inset(50%)}"
".book tr{display:grid;grid-template-columns:1fr auto;padding:.35rem 0;"
"border-bottom:1px solid var(--line)}"
".book td{grid-column:1/3;padding:0;border:0}"
".book td:first-child{grid-area:1/1}"
".book .n{grid-area:1/2}"
".book .n::after{content:' shares'}"
".book .n+td::before{content:'Issued '}"
".book .void:not(:empty)::before{content:'Until '}"
"}"

"@page book{size:auto;margin:14mm}"
"@media print{"
".book{page:book;font-size:9pt}"
".book main{max-width:none;padding:0}"
".book tr{break-inside:avoid}"
".book h2{break-after:avoid}"
".book nav{display:none}"
"}";


#endif /* STOCKCERT_STYLE_H */
