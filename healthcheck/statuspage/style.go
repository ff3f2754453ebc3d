package statuspage

import "github.com/awsha/awsha/internal/htmlpage"

// style adds the states of targets, and what is the page's own.
const style = htmlpage.Style + `.healthy{color:var(--ok)}
.unhealthy{color:var(--bad)}
.initial{color:var(--wait)}
form{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:end;margin:.6rem 0}
label{display:flex;flex-direction:column;font-size:.85rem;min-width:0}
select,input,button{font:inherit;font-size:1rem;padding:.45rem .6rem;min-height:2.75rem;max-width:100%}
nav{display:flex;gap:1rem;align-items:center;margin:1rem 0}
nav a{padding:.6rem 0}
@media (max-width:40rem){.zone .n{display:inline-block;width:auto;margin-right:1rem}}
`
