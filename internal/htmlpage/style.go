package htmlpage

import (
	"crypto/sha256"
	"encoding/base64"
)

// Style is for both schemes of colours, with contrasts of at least 4.5 to 1. On narrow screens the rows of tables become cards,
// whose cells are labelled. Every word may wrap, so that no name makes the page wider than the screen; the words of the page do so only where nothing
// else helps, so that long names beside them do not squeeze them into columns of letters.
const Style = `
:root{color-scheme:light dark;--line:#8886;--soft:#595959;--ok:#14713d;--bad:#b3261e;--wait:#7a5500}
@media (prefers-color-scheme:dark){:root{--soft:#b0b0b0;--ok:#6fd08c;--bad:#ff8a80;--wait:#f0c060}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:75rem;padding:1rem;font:1rem/1.45 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:0}
h2{font-size:1.15rem;margin:1.5rem 0 .5rem}
p{margin:.35rem 0}
small,thead th{color:var(--soft);font-size:.85rem}
small{display:block}
table{width:100%;border-collapse:collapse}
th,td{padding:.4rem .6rem .4rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);font-weight:inherit}
th bdi{font-weight:600}
th small bdi{font-weight:inherit}
.mark,.n,thead th{overflow-wrap:break-word}
.n{text-align:right;font-variant-numeric:tabular-nums}
.mark{font-weight:600;color:var(--soft);margin-right:.4rem}
.ok{color:var(--ok)}
.bad{color:var(--bad)}
.warn{color:var(--wait)}
@media (max-width:40rem){
table,tbody,tr,td,tbody th{display:block;width:100%}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{border:1px solid var(--line);border-radius:.5rem;padding:.5rem .75rem;margin:.6rem 0}
td,tbody th{border:0;padding:.15rem 0;text-align:left}
td::before{content:attr(data-label) " ";color:var(--soft);font-size:.85rem}
}
`

// Policy is the Content-Security-Policy of a page that has one inline style, and may load and run nothing.
func Policy(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}
