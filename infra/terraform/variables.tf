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
