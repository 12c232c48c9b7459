/** How the report looks. Colours as those of the dashboard; `color-scheme` decides between their light and their dark value. */
export const pageStyle = `
:root{color-scheme:light dark;--canvas:light-dark(#f8f8f6,#121214);--surface:light-dark(#fff,#19191c);--sunken:light-dark(#f1f1ee,#0e0e10);
--line:light-dark(#e6e5e1,#2a2a2f);--edge:light-dark(#8d8b84,#6f6f7a);--ink:light-dark(#1d1c1a,#ececef);--ink2:light-dark(#55534d,#b4b4bd);
--ink3:light-dark(#6c6a63,#93939e);--accent:light-dark(#3b52c4,#9aabff);--good:light-dark(#19734a,#63cf99);--goodsoft:light-dark(#e3f3ea,#173226);
--bad:light-dark(#b0302c,#ff8f87);--badsoft:light-dark(#fbe9e7,#3c1d1d);--wait:light-dark(#855d08,#e2b45a);--waitsoft:light-dark(#f8efd9,#352a14)}
*{box-sizing:border-box}
body{margin:0;background:var(--canvas);color:var(--ink);font:14px/1.5 -apple-system,'Segoe UI',Inter,Roboto,'Noto Sans','Liberation Sans',Arial,sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
main{max-width:1240px;margin:0 auto;padding:28px 20px 64px}
h1{font-size:22px;line-height:1.25;margin:0;font-weight:650}
h2{font-size:14px;margin:28px 0 10px;font-weight:650}
p{margin:6px 0}
code,pre,.mono{font-family:ui-monospace,'SF Mono',Menlo,Consolas,'Liberation Mono',monospace;font-size:12.5px}
.evaluation+.evaluation{margin-top:56px;padding-top:32px;border-top:1px solid var(--line)}
.head{display:flex;gap:12px;align-items:center;flex-wrap:wrap}
.chip{display:inline-block;border-radius:99px;padding:1px 10px;font-size:12.5px;font-weight:600;white-space:nowrap}
.good{color:var(--good);background:var(--goodsoft)}.bad{color:var(--bad);background:var(--badsoft)}.wait{color:var(--wait);background:var(--waitsoft)}
.verdict{font-size:15px;color:var(--ink2);margin:8px 0 16px}
.card{background:var(--surface);border:1px solid var(--line);border-radius:10px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr))}
.facts>div{padding:12px 16px}.facts>.whole{grid-column:1/-1;border-top:1px solid var(--line)}.whole dd{font-size:13px}
dl,dd{margin:0}dt{color:var(--ink3);font-size:12.5px}dd{font-size:15px}
.wide{overflow-x:auto;container-type:inline-size}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:8px 14px;vertical-align:middle;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--ink3);font-weight:500;font-size:12.5px;white-space:nowrap}
.num{text-align:right;white-space:nowrap}
svg{display:block;width:190px;height:auto}
svg text{font-size:9.5px;fill:var(--ink3)}
.axis{stroke:var(--line)}.whisker{stroke:var(--edge)}.box{fill:var(--sunken);stroke:var(--edge)}.median{stroke:var(--ink2);stroke-width:1.5}
.interval{stroke:var(--accent);stroke-width:3}.mean,.bar{fill:var(--accent)}
.list{margin:0;padding:10px 16px;list-style:none}.list li{padding:3px 0;display:flex;gap:10px;align-items:baseline}
.tools{display:flex;gap:10px;flex-wrap:wrap;align-items:center;margin:0 0 10px}
input,select,button{font:inherit;color:inherit;background:var(--surface);border:1px solid var(--edge);border-radius:7px;padding:5px 10px;max-width:100%}
input{flex:1 1 200px;min-width:0}
button{cursor:pointer}
:focus-visible{outline:2px solid var(--accent);outline-offset:1px}
th button{border:0;padding:0;background:none;color:inherit;font-weight:500}
th[aria-sort=ascending] button::after{content:' ↑'}th[aria-sort=descending] button::after{content:' ↓'}
td button.open{border:0;background:none;padding:0;text-align:left;color:var(--accent);display:block;max-width:260px;overflow:hidden;
text-overflow:ellipsis;white-space:nowrap}
th,td{overflow-wrap:break-word}td.says{min-width:260px}
td.short{max-width:280px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;color:var(--ink2)}
.detail>td{background:var(--sunken)}
.texts{position:sticky;left:14px;max-width:calc(100cqw - 28px);display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,260px),1fr));gap:14px}
.texts h3{font-size:12.5px;color:var(--ink3);font-weight:500;margin:0 0 4px}
pre{margin:0;white-space:pre-wrap;background:var(--surface);border:1px solid var(--line);border-radius:7px;padding:8px 10px;max-height:340px;overflow:auto}
del{background:var(--badsoft);color:var(--bad)}ins{background:var(--goodsoft);color:var(--good);text-decoration:none}
.quiet{color:var(--ink3)}
summary{cursor:pointer;padding:10px 16px}details pre{border:0;border-top:1px solid var(--line);border-radius:0 0 10px 10px}
footer{margin-top:40px;color:var(--ink3);font-size:12.5px}
@media (max-width:640px){main{padding:20px 14px 48px}th,td{padding:7px 10px}td.short,td button.open{max-width:150px}}
@media print{.tools{display:none}.card{break-inside:avoid}}
`
