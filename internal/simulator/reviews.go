package simulator

import (
	"encoding/json"
	"net/http"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	selfSubjectReviews       = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
	selfSubjectAccessReviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
)

// selfSubjectReview tells who asks.
func (x *exchange) selfSubjectReview() error { return x.reviewAs(x.cluster.userName()) }

func (x *exchange) reviewAs(user string) error {
	var review authenticationv1.SelfSubjectReview
	if s := x.readReview(&review); s != nil {
		return x.status(s)
	}
	review.TypeMeta = metav1.TypeMeta{Kind: "SelfSubjectReview", APIVersion: "authentication.k8s.io/v1"}
	review.Status.UserInfo = authenticationv1.UserInfo{
		Username: user,
		UID:      string(uidOf("User", "", user)),
		Groups:   []string{userGroup, "system:authenticated"},
	}
	return x.created(review)
}

// selfSubjectAccessReview says that the caller may do what it asks about, or may not.
func (x *exchange) selfSubjectAccessReview(allowed bool) error {
	var review authorizationv1.SelfSubjectAccessReview
	if s := x.readReview(&review); s != nil {
		return x.status(s)
	}
	if (review.Spec.ResourceAttributes == nil) == (review.Spec.NonResourceAttributes == nil) {
		return x.status(failure(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid,
			"spec.resourceAttributes: Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified"))
	}
	review.TypeMeta = metav1.TypeMeta{Kind: "SelfSubjectAccessReview", APIVersion: "authorization.k8s.io/v1"}
	review.Status = authorizationv1.SubjectAccessReviewStatus{Allowed: allowed}
	if allowed {
		review.Status.Reason = "fleetsim: the owner of a cluster may do everything that can be done in it"
	}
	return x.created(review)
}

// readReview decodes a JSON request; what it returns is the answer to one that cannot be decoded.
func (x *exchange) readReview(into any) *metav1.Status {
	if x.r.Method != http.MethodPost {
		return failure(http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed,
			"the server does not allow this method on the requested resource")
	}
	if err := json.Unmarshal(x.body, into); err != nil {
		return badRequest("decode the request: %v", err)
	}
	return nil
}

func (x *exchange) created(object any) error {
	body, err := json.Marshal(object)
	if err != nil { // the types of k8s.io/api always marshal
		return x.status(badRequest("%v", err))
	}
	return x.reply(http.StatusCreated, jsonType, body)
}
