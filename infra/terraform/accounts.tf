# One account a service, with the rights that its stage needs and no others. Outputs are written
# once: who creates objects under a prefix cannot replace or delete them. What can be replaced are
# failures, which a later run may overcome, reports, which every run writes again, and what is named
# here: training keeps a checkpoint beside the model that it is making.
locals {
  rights = {
    collection = {
      read    = ["*.csv", "catalogs", "raw_data", "recipes"]
      create  = ["raw_data"]
      replace = ["catalogs"]
    }
    preprocessing = {
      read    = ["catalogs", "raw_data", "recipes"]
      create  = ["processed_data"]
      replace = ["processed_data/*.wav"]
    }
    validation = {
      read    = ["catalogs", "processed_data", "recipes"]
      create  = ["datasets", "dvc_store"]
      replace = ["quarantine"]
    }
    feature_extraction = {
      read    = ["datasets", "processed_data", "recipes"]
      create  = ["features"]
      replace = []
    }
    training = {
      read    = ["datasets", "features", "processed_data", "recipes"]
      create  = []
      replace = ["models"]
    }
    serving = {
      read    = ["datasets", "models", "processed_data", "recipes"]
      create  = []
      replace = ["models/held_out", "serving"]
    }
  }
}

# Conditions on an object's name, in IAM's expression language.
locals {
  objects = "projects/_/buckets/${google_storage_bucket.data.name}/objects"
  under = merge(
    { for prefix in local.prefixes : prefix => "resource.name.startsWith(\"${local.objects}/${prefix}/\")" },
    {
      # A catalog as its publisher names it, put at the top of the bucket by a person.
      "*.csv" = join(" && ", [
        "resource.name.endsWith(\".csv\")",
        "resource.name.extract(\"/objects/{folder}/\") == \"\"",
      ])
      # A clip is done with its mp4; a wav without one was left by a run that died.
      "processed_data/*.wav" = join(" && ", [
        "resource.name.startsWith(\"${local.objects}/processed_data/\")",
        "resource.name.endsWith(\".wav\")",
      ])
      # Inside each model's directory, which serving otherwise leaves alone.
      "models/held_out" = join(" && ", [
        "resource.name.startsWith(\"${local.objects}/models/\")",
        "resource.name.extract(\"/held_out/{name}\") != \"\"",
      ])
    },
  )
  is_failure = "resource.name.extract(\"/_failed/{name}\") != \"\""
  is_report = {
    for service in keys(local.rights) : service => join(" && ", [
      local.under["manifests"],
      "(resource.name.endsWith(\"/${service}.json\") || resource.name.endsWith(\"/${service}.jsonl\"))",
    ])
  }
}

resource "google_service_account" "service" {
  for_each = local.rights

  account_id   = "s2s-${replace(each.key, "_", "-")}"
  display_name = "Silent to Sound, ${each.key}"

  depends_on = [google_project_service.needed]
}

# Predefined roles give more: objectViewer and objectCreator bring rights on folders and projects.
resource "google_project_iam_custom_role" "storage" {
  for_each = {
    List    = ["storage.buckets.get", "storage.objects.list"] # the bucket says whether it has versions
    Read    = ["storage.objects.get"]
    Create  = ["storage.objects.create", "storage.objects.get"]
    Replace = ["storage.objects.create", "storage.objects.delete", "storage.objects.get"]
  }

  role_id     = "s2s${each.key}"
  title       = "Silent to Sound: ${lower(each.key)} objects"
  permissions = each.value
}

# Names only. A listing is a question to the bucket, so no prefix can be set for it.
resource "google_storage_bucket_iam_member" "list" {
  for_each = local.rights

  bucket = google_storage_bucket.data.name
  role   = google_project_iam_custom_role.storage["List"].name
  member = google_service_account.service[each.key].member
}

resource "google_storage_bucket_iam_member" "read" {
  for_each = local.rights

  bucket = google_storage_bucket.data.name
  role   = google_project_iam_custom_role.storage["Read"].name
  member = google_service_account.service[each.key].member

  condition {
    title      = "reads ${join(", ", each.value.read)}"
    expression = join(" || ", [for prefix in each.value.read : "(${local.under[prefix]})"])
  }
}

resource "google_storage_bucket_iam_member" "create" {
  for_each = { for service, rights in local.rights : service => rights if length(rights.create) > 0 }

  bucket = google_storage_bucket.data.name
  role   = google_project_iam_custom_role.storage["Create"].name
  member = google_service_account.service[each.key].member

  condition {
    title      = "creates ${join(", ", each.value.create)}"
    expression = join(" || ", [for prefix in each.value.create : "(${local.under[prefix]})"])
  }
}

resource "google_storage_bucket_iam_member" "replace" {
  for_each = local.rights

  bucket = google_storage_bucket.data.name
  role   = google_project_iam_custom_role.storage["Replace"].name
  member = google_service_account.service[each.key].member

  condition {
    title = "replaces failures and reports"
    expression = join(" || ", concat(
      ["(${local.is_report[each.key]})"],
      [for prefix in each.value.create : "(${local.under[prefix]} && ${local.is_failure})"],
      [for prefix in each.value.replace : "(${local.under[prefix]})"],
    ))
  }
}
