// Package htmlpage is what the HTML pages of this library share: one style for both schemes of colours and for telephones, the headers of a page that runs no script,
// and texts that show what they hold, whoever has written them.
package htmlpage
