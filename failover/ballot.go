package failover

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// What an observer says may be of any length, and most of it comes when all fails at once. Votes have to fit into entries of a [Store] even then.
const (
	maxEvidence = 400                         // bytes of JSON
	maxZone     = 100                         // bytes of JSON
	maxVote     = maxEvidence + maxZone + 200 // bytes of JSON beside the names of the observer and its zone
	maxPart     = 50 << 10                    // bytes of JSON: less than MaxValue, by more than the rest of a ballot
)

// maxDetail is how many bytes of JSON the detail of a record has, such as the text of an error.
const maxDetail = 4 << 10

// brief cuts a text so that its JSON has no more than a number of bytes.
func brief(text string, most int) string {
	if len(text) <= most/6 { // no byte takes more than six
		return text
	}
	text = strings.ToValidUTF8(text[:min(len(text), most)], "?")
	for text != "" && quoted(text) > most {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	return text
}

func quoted(text string) int {
	b, err := json.Marshal(text)
	if err != nil {
		return 6 * len(text)
	}
	return len(b)
}

// size is the most that the votes for a service take.
func (w *watched) size() int {
	n := quoted(w.Name) + 4
	for _, v := range w.voters {
		n += quoted(v.observer.Name()) + quoted(v.observer.Zone()) + maxVote
	}
	return n
}

// partition splits the services so that the votes for each part fit into an entry, whatever the observers say. It is the same for a whole run.
func partition(services []*watched) [][]*watched {
	parts := [][]*watched{nil}
	used := 0
	for _, w := range services {
		if used+w.size() > maxPart && used > 0 {
			parts, used = append(parts, nil), 0
		}
		used += w.size()
		parts[len(parts)-1] = append(parts[len(parts)-1], w)
	}
	return parts
}
