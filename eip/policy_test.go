package eip_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// The comment of each method of the port names the IAM action that it needs, and the policy on the package page has it.
func TestPolicyHasEveryAction(t *testing.T) {
	t.Parallel()
	files := token.NewFileSet()
	page, err := parser.ParseFile(files, "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ports, err := parser.ParseFile(files, "ports.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	_, policy, _ := strings.Cut(page.Doc.Text(), "# AWS calls and IAM actions")
	policy, _, _ = strings.Cut(policy, "# Limits")
	methods := 0
	ast.Inspect(ports, func(n ast.Node) bool {
		port, ok := n.(*ast.InterfaceType)
		if !ok {
			return true
		}
		for _, method := range port.Methods.List {
			methods++
			action := "ec2:" + method.Names[0].Name
			if !strings.Contains(method.Doc.Text(), "needs "+action+" ") && !strings.Contains(method.Doc.Text(), "needs "+action+".") {
				t.Errorf("the comment of %s does not name %s", method.Names[0], action)
			}
			if !strings.Contains(policy, `"`+action+`"`) {
				t.Errorf("the policy lacks %s", action)
			}
		}
		return true
	})
	if got := strings.Count(policy, `"ec2:`); got != methods || methods == 0 {
		t.Errorf("the policy has %d actions, the port %d methods", got, methods)
	}
}
