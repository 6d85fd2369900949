module github.com/clusterfleet/clusterfleet

go 1.26.0

require (
	golang.org/x/sync v0.24.0 // indirect
	k8s.io/apimachinery v0.37.2 // indirect
	k8s.io/client-go v0.37.2 // indirect
)
