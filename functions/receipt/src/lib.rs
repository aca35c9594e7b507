//! SES receipts: through SNS and SQS, from SNS directly, or from the SES Lambda action.
