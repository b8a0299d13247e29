module engine/cli

go 1.24.7

require github.com/pulumi/pulumi/pkg/v3 v3.220.0
