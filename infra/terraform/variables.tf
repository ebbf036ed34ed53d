variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the bucket and of the images; keep both near the GPUs."
  type        = string
  default     = "us-central1"
}

variable "bucket" {
  description = "Name of the bucket. Names are shared by all of Google Cloud: choose another if it is taken."
  type        = string
  default     = "s2s_data"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9_.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "A bucket's name has 3 to 63 lower-case letters, digits, \"-\", \"_\" and \".\"."
  }
}

variable "keep_replaced_days" {
  description = "Days for which an object that was replaced or deleted can be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.keep_replaced_days >= 1
    error_message = "At least one day."
  }
}

variable "raw_data_cold_days" {
  description = "Days after which a source, read only when clips are cut again, moves to cheaper storage."
  type        = number
  default     = 60
}

variable "keep_access_log_days" {
  description = "Days for which the log of who read and wrote which object is kept."
  type        = number
  default     = 90
}

variable "image_pushers" {
  description = "Who may push images, such as user:ana@example.com or serviceAccount:ci@PROJECT.iam.gserviceaccount.com."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for one in var.image_pushers : can(regex("^(user|group|serviceAccount):.+@.+$", one))])
    error_message = "Write user:ADDRESS, group:ADDRESS or serviceAccount:ADDRESS."
  }
}

variable "job_submitters" {
  description = "Who may start trainings and pipelines on Vertex AI; written as for image_pushers."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for one in var.job_submitters : can(regex("^(user|group|serviceAccount):.+@.+$", one))])
    error_message = "Write user:ADDRESS, group:ADDRESS or serviceAccount:ADDRESS."
  }
}

variable "cluster" {
  description = "Make the GKE cluster; only needed for stages on many nodes."
  type        = bool
  default     = false
}

variable "cluster_admins" {
  description = "Address ranges from which the cluster's control plane can be reached, by name."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for range in values(var.cluster_admins) : can(cidrhost(range, 0))])
    error_message = "Write address ranges such as 203.0.113.0/24."
  }
}

variable "serving_image" {
  description = "Image of serving that Cloud Run runs, with its tag or digest; none as long as it is empty."
  type        = string
  default     = ""
}

variable "serving_recipes" {
  description = "Recipes whose models are served, as the image finds them."
  type        = list(string)
  default     = ["/recipes/silent_to_sound.yaml"]

  validation {
    condition     = length(var.serving_recipes) > 0
    error_message = "Name at least one recipe."
  }
}

variable "serving_gpu" {
  description = "Accelerator of serving on Cloud Run; empty for none."
  type        = string
  default     = "nvidia-l4"

  validation {
    condition     = contains(["", "nvidia-l4", "nvidia-rtx-pro-6000"], var.serving_gpu)
    error_message = "Cloud Run has nvidia-l4 and nvidia-rtx-pro-6000; empty for none."
  }
}

variable "serving_is_public" {
  description = "Let requests reach serving without an identity of Google's: its own API keys guard it."
  type        = bool
  default     = false
}

variable "billing_account" {
  description = "Billing account that the budget watches, such as 012345-678901-ABCDEF; no budget as long as it is empty."
  type        = string
  default     = ""

  validation {
    condition     = var.billing_account == "" || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "Three groups of six digits; 'gcloud billing accounts list' shows it."
  }
}

variable "budget" {
  description = "What a month may cost before mails are sent, in the billing account's currency. Nothing is switched off."
  type        = number
  default     = 200

  validation {
    condition     = var.budget >= 1 && floor(var.budget) == var.budget
    error_message = "A whole number of at least 1."
  }
}

variable "alert_mail" {
  description = "Where alerts and the budget's mails go; none as long as it is empty."
  type        = string
  default     = ""
}
