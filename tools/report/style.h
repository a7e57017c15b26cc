#pragma once

#include <string_view>

namespace millrace {

/// The report's style sheet. Series: c1 training, c2 validation, c3 other; blue, orange and green
/// of equal weight, told apart by those who see colours differently.
inline constexpr std::string_view kReportStyle = R"css(
:root{color-scheme:light dark;--page:#f6f5f2;--card:#fff;--text:#1d2126;--soft:#5d666f;--rule:#e3e1dc;
--c1:#2a6db0;--c2:#c8601d;--c3:#3a8a5c;--bad:200,62,50;--good:42,109,176}
@media (prefers-color-scheme:dark){:root{--page:#13161a;--card:#1c2127;--text:#e7e9eb;--soft:#9aa4ae;
--rule:#2e353d;--c1:#6cace8;--c2:#f0985a;--c3:#6fc195;--bad:240,104,92;--good:108,172,232}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 20px 48px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:17px;margin:0 0 12px}
p{margin:0 0 8px}
.soft,figcaption,caption,th{color:var(--soft)}
section{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:18px 20px;margin-top:18px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(118px,1fr));gap:10px;margin-top:20px}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:12px 14px}
.tile b{display:block;font-size:20px;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.tile span{color:var(--soft);font-size:13px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:18px 26px}
figure{margin:0;min-width:0}
figcaption{font-size:13px;display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 12px}
.legend{display:flex;gap:12px}
.key{color:var(--text)}
.key::before{content:"";display:inline-block;width:14px;height:3px;border-radius:2px;margin-right:5px;vertical-align:4px;background:currentColor}
.key.c1::before{background:var(--c1)}.key.c2::before{background:var(--c2)}.key.c3::before{background:var(--c3)}
svg{display:block;width:100%;height:auto;max-width:640px;overflow:visible}
svg text{font-size:12.5px;fill:var(--soft);font-variant-numeric:tabular-nums}
.end{text-anchor:end}.mid{text-anchor:middle}
.grid{stroke:var(--rule);stroke-width:1}
.dim{fill-opacity:.45}
path{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
path.c1{stroke:var(--c1)}path.c2{stroke:var(--c2)}path.c3{stroke:var(--c3)}
circle.c1{fill:var(--c1)}circle.c2{fill:var(--c2)}circle.c3{fill:var(--c3)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
caption{text-align:left;font-size:13px;padding-bottom:6px}
td,th{padding:3px 10px 3px 0;text-align:right;font-weight:400;white-space:nowrap}
td:first-child,th:first-child{text-align:left}
tbody tr{border-top:1px solid var(--rule)}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:18px 34px}
.two>*{min-width:0}
.confusion{table-layout:fixed;width:100%;max-width:480px;font-size:12.5px}
.confusion td,.confusion th{padding:0;height:30px;text-align:center!important;border:1px solid var(--card)}
.confusion tbody tr{border:0}
.confusion td{border-radius:4px;background:rgba(var(--bad),var(--v,0))}
.confusion td.right{background:rgba(var(--good),var(--v,0))}
.confusion .zero{color:transparent}
.confusion.named th:first-child{width:88px;padding-right:6px;text-align:left!important}
.named th span{display:block;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.named thead th{height:auto;vertical-align:bottom;padding-bottom:4px}
.named thead span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:88px;margin:0 auto}
.bar{display:block;height:8px;min-width:60px;border-radius:4px;background:var(--rule);overflow:hidden}
.bar i{display:block;height:100%;background:var(--c1)}
.classes{width:100%}
.classes td:first-child,.frequent td{white-space:normal;overflow-wrap:anywhere}
.classes td:first-child{min-width:6em}
.classes td:last-child,.classes th:last-child{width:34%;padding-right:0}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,84px);gap:12px;justify-content:space-between}
.pictures img{display:block;width:84px;height:84px;object-fit:contain;image-rendering:pixelated;border-radius:6px;background:#000}
.pictures figcaption{display:block;line-height:1.3;padding-top:4px;font-size:12px;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.pictures b{color:var(--text);font-weight:600}
.units img{width:72px;height:72px;background:var(--page);border:1px solid var(--rule)}
.units{grid-template-columns:repeat(auto-fill,72px);gap:8px}
.stage{display:flex;height:18px;border-radius:5px;overflow:hidden;background:var(--rule);margin:2px 0 4px}
.stage i{display:block;height:100%}
.busy{background:var(--c1)}.wait{background:var(--c2)}.other{background:var(--c3)}
.stages>div{margin-bottom:14px}
.stages span{font-size:13px;color:var(--soft)}
.stages .dot::before{content:"";display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:5px;background:var(--rule)}
.stages .busy-dot::before{background:var(--c1)}.stages .wait-dot::before{background:var(--c2)}.stages .other-dot::before{background:var(--c3)}
.dot{display:inline-block;margin-right:14px}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 18px;margin:0}
dl.short{grid-template-columns:repeat(2,max-content minmax(0,1fr))}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{margin:12px 0 0;white-space:pre-wrap;overflow-wrap:anywhere;color:var(--soft)}
@media (max-width:520px){main{padding:18px 10px 36px}section{padding:14px 12px}h1{font-size:21px}
.tile b{font-size:18px}.tiles{grid-template-columns:repeat(auto-fit,minmax(104px,1fr));gap:8px}
.confusion{font-size:10.5px}.confusion td,.confusion th{height:26px}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:6px}
dl.short{grid-template-columns:max-content minmax(0,1fr);gap:2px 14px}dl.short dd{margin:0}
.pictures{grid-template-columns:repeat(4,minmax(0,1fr));gap:10px 8px}.pictures img{width:100%;height:auto;aspect-ratio:1}
.pictures.units{grid-template-columns:repeat(6,minmax(0,1fr));gap:6px}
td,th{padding-right:7px}.classes td:last-child,.classes th:last-child{width:18%}.bar{min-width:34px}}
)css";

}  // namespace millrace
